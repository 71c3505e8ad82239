"""What policy and bookkeeping add to the bare classifier, on texts of 64 tokens.

python -m benchmarks.bookkeeping [--rounds N]

And what is left of checking a conversation again that the guard remembers: it is read, its texts
are hashed to find the answers, and the policy decides about these afresh.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from tempfile import TemporaryDirectory

from benchmarks.texts import conversation, texts
from benchmarks.timing import interleaved, print_json, print_table
from tinyguardrail_sdk import AllowRule, AuditLog, CustomDetector, Guard, Policy, Source
from tinyguardrail_sdk.classifier import Classification, Classifier, EmbeddedClassifier
from tinyguardrail_sdk.testing import ScriptedClassifier

TOKENS = 64
TURNS = (1, 10, 40)
_TEXTS = 40


class _Instant(ScriptedClassifier):
    """Gives one ready answer: what is left of a check is everything around the network."""

    def __init__(self, answer: Classification) -> None:
        super().__init__()
        self._ready = answer

    def classify(self, text: str, source: Source) -> Classification:
        return self._ready


def _rich_policy() -> Policy:
    rules = [AllowRule(exact=f"known text {i}") for i in range(100)]
    rules += [AllowRule(sha256=f"{i:064x}") for i in range(100)]
    rules += [AllowRule(regex=rf"ticket {i}-\d+") for i in range(5)]
    return Policy(allow=tuple(rules), deadline_ms=5000, max_chars=100_000)


def _guards(classifier: Classifier, log: AuditLog) -> dict[str, Guard]:
    return {
        "guard": Guard(classifier=classifier),
        "guard, everything on": Guard(
            classifier=classifier,
            policy=_rich_policy(),
            detectors=[CustomDetector("none", lambda text: 0.0)],
            observers=[log],
            on_block=lambda record: None,
        ),
    }


def main() -> None:
    """Time a bare classifier and guards around it, the guards around nothing, and their memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    samples = texts(TOKENS, _TEXTS)
    bare = EmbeddedClassifier()
    with TemporaryDirectory() as folder:
        log = AuditLog(f"{folder}/audit.jsonl")
        whole = _timed(
            {"classifier": _classify(bare)} | _checks(_guards(bare, log)), samples, rounds
        )
        instant = _Instant(bare.classify(samples[0], Source.USER))
        alone = _timed(_checks(_guards(instant, log)), samples, rounds * 10)
        log.close()
    rows = [
        [name, whole[name], whole[name] / whole["classifier"], alone.get(name, 0.0)]
        for name in whole
    ]
    print_table(["what", "median ms", "ratio", "ms without the network"], rows)
    known = interleaved({str(n): [again(ScriptedClassifier(), n)] for n in TURNS}, rounds * 10)
    again_ms = {turns: timing.median for turns, timing in known.items()}
    print()
    print_table(["turns that are remembered", "median ms"], list(again_ms.items()))
    found = {"whole_ms": whole, "alone_ms": alone, "again_ms": again_ms}
    print_json("bookkeeping", {**found, "rounds": rounds})


def again(classifier: Classifier, turns: int) -> Callable[[], object]:
    """Return a check of so many turns, all of which the guard has judged before."""
    guard, messages = Guard(classifier=classifier, cache=1024), conversation(turns)
    guard.check_messages(messages)
    return lambda: guard.check_messages(messages)


def _classify(classifier: Classifier) -> Callable[[str], object]:
    return lambda text: classifier.classify(text, Source.USER)


def _checks(guards: dict[str, Guard]) -> dict[str, Callable[[str], object]]:
    return {name: guard.check for name, guard in guards.items()}


def _timed(
    contestants: dict[str, Callable[[str], object]], samples: Sequence[str], rounds: int
) -> dict[str, float]:
    calls = {
        name: [lambda text=text, call=call: call(text) for text in samples]
        for name, call in contestants.items()
    }
    return {name: timing.median for name, timing in interleaved(calls, rounds).items()}


if __name__ == "__main__":
    main()

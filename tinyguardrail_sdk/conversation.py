"""Messages judged one by one, and read together where an attack may be spread over several.

What one source said in a conversation is one text to a model, whoever spoke in between. So the
texts of a source are also read in sequence, in stretches of fixed places that overlap by half: all
but the last stretch stay the same when a conversation grows, and a memory answers for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tinyguardrail_sdk.labels import Action, Label, Source
from tinyguardrail_sdk.messages import MessageText, MessageVerdict
from tinyguardrail_sdk.verdict import Verdict

# An attack of up to half a stretch, in however many messages, lies whole in one of them.
STRETCH = 2000

JudgeText = Callable[[str, Source], Verdict]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Up to `STRETCH` characters of what one source said in several messages."""

    messages: tuple[int, ...]
    source: Source
    text: str


def judge_messages(
    texts: Sequence[MessageText], judge: JudgeText, longest: int | None = None
) -> list[MessageVerdict]:
    """Judge every text, then every stretch over several messages.

    What is blocked or redacted (in shadow mode: would be), or let pass by an allow-rule, is left
    out of stretches: the others may be sent on without it.

    Args:
        texts: What to judge.
        judge: Who judges.
        longest: Characters in one text that are read, where they are fewer than a stretch has.

    Returns:
        A verdict for every text, in order; then those on stretches that found something.
    """
    found = [MessageVerdict(t.message, t.source, judge(t.text, t.source)) for t in texts]
    joined = [t for t, each in zip(texts, found, strict=True) if _may_go_on(each.verdict)]
    for stretch in stretches(joined, min(STRETCH, longest or STRETCH)):
        verdict = judge(stretch.text, stretch.source)
        if _says_something(verdict):
            last = stretch.messages[-1]
            found.append(MessageVerdict(last, stretch.source, verdict, stretch.messages))
    return found


def stretches(texts: Sequence[MessageText], size: int = STRETCH) -> Iterator[Stretch]:
    """Cut what each source said into overlapping stretches; those in one message are left out."""
    step = max(1, size // 2)
    for source in dict.fromkeys(text.source for text in texts):
        own = [text for text in texts if text.source is source and text.text]
        whole = "\n".join(text.text for text in own)
        ends = list(_ends(own))
        for start in range(0, max(1, len(whole) - step), step):
            stop = min(start + size, len(whole))
            inside = tuple(
                text.message
                for text, end in zip(own, ends, strict=True)
                if end > start and end - len(text.text) < stop
            )
            if len(inside) > 1:
                yield Stretch(inside, source, whole[start:stop])


def _ends(texts: Sequence[MessageText]) -> Iterator[int]:
    end = -1  # no line break stands before the first
    for text in texts:
        end += 1 + len(text.text)
        yield end


def _may_go_on(verdict: Verdict) -> bool:
    return verdict.rule is None and not verdict.blocked and not verdict.would_block


def _says_something(verdict: Verdict) -> bool:
    found = verdict.label is not Label.BENIGN or verdict.action is not Action.ALLOW
    return found or verdict.error is not None

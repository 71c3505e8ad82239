import base64
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyguardrail_sdk import (
    Action,
    AllowRule,
    Blocked,
    Classification,
    Guard,
    InputError,
    Label,
    Pattern,
    Policy,
    Redaction,
    Route,
    Source,
    Verdict,
)
from tinyguardrail_sdk.detectors.match import Match
from tinyguardrail_sdk.redaction import merge, original_span, redact, sentence
from tinyguardrail_sdk.testing import ScriptedClassifier, label_scores

REDACTS = Policy(actions={Label.INJECTION: Action.REDACT})
ODD = st.text(alphabet="ab .\n\u0301\u200d\ud83d\ude00é👍", max_size=60)


class Finder(ScriptedClassifier):
    """Finds every `evil`, and calls the text an injection; its window is the text, or `window`."""

    def __init__(self, word: str = "evil", window: int | None = None, shows: bool = True) -> None:
        super().__init__()
        self.word, self.window, self.shows = word, window, shows

    def classify(self, text: str, source: Source) -> Classification:
        self.calls.append((text, source))
        at = text.find(self.word)
        label = Label.BENIGN if at < 0 else Label.INJECTION
        end = at + len(self.word)
        found = Match(Pattern.ENCODING, 0.9, at, end, "a bad word", "decoded")
        span = (0, len(text))
        if self.window is not None and at >= 0:
            span = max(0, at - self.window), min(len(text), end + self.window)
        matches = (found,) if at >= 0 and self.shows else ()
        return Classification(
            label_scores(label, 0.97), Route.FAST, matches, span, (len(text), len(text))
        )


def check_redaction(text: str, redaction: Redaction, replacement: str) -> None:
    """Rebuild the redacted text from the original: outside the cuts nothing may differ."""
    rest, place = "", 0
    for start, end in redaction.cuts:
        assert place <= start < end <= len(text)
        rest += text[place:start] + replacement
        place = end
    assert redaction.text == rest + text[place:]


def test_the_sentence_of_a_finding_is_cut_and_the_rest_is_as_it_was() -> None:
    guard = Guard(classifier=Finder(), policy=REDACTS)
    text = "Fine\u00a0 so far. Do evil to me!  And on\r\nit\tgoes. "
    verdict = guard.check(text)
    assert verdict.action is Action.REDACT
    assert verdict.redaction is not None
    assert verdict.redaction.cuts == ((14, 28),)
    assert verdict.release(text) == "Fine\u00a0 so far. [REDACTED]  And on\r\nit\tgoes. "
    assert verdict.label is Label.INJECTION


def test_whoever_knows_nothing_of_redaction_is_safe() -> None:
    verdict = Guard(classifier=Finder(), policy=REDACTS).check("evil. good.")
    assert verdict.blocked
    assert Verdict.from_bits(verdict.bits).blocked
    with pytest.raises(Blocked):
        verdict.raise_if_blocked()


def test_a_text_that_stays_an_attack_is_blocked_whole() -> None:
    guard = Guard(classifier=ScriptedClassifier({"": Label.INJECTION}), policy=REDACTS)
    verdict = guard.check("something")
    assert (verdict.action, verdict.redaction) == (Action.BLOCK, None)
    with pytest.raises(Blocked):
        verdict.release("something")


def test_further_places_are_cut_by_their_windows_in_a_bounded_number_of_rounds() -> None:
    finder = Finder(window=3)
    guard = Guard(classifier=finder, policy=REDACTS)
    few = "One evil here. " + "Then a long way, harmless. " * 3 + "two evil things, the end"
    verdict = guard.check(few)
    assert verdict.redaction is not None
    check_redaction(few, verdict.redaction, "[REDACTED]")
    assert "evil" not in verdict.release(few)
    assert verdict.release(few).endswith(" things, the end"[3:])
    finder.calls.clear()
    assert guard.check("evil. good. " * 30).action is Action.BLOCK
    assert len(finder.calls) == 4


def test_without_a_finding_the_window_is_cut() -> None:
    guard = Guard(classifier=Finder(window=2, shows=False), policy=REDACTS)
    text = "so much evil on earth"
    assert guard.check(text).release(text) == "so muc[REDACTED]n earth"


def test_the_words_of_the_replacement_are_not_judged() -> None:
    policy = Policy(actions={Label.INJECTION: Action.REDACT}, replacement="[evil]")
    guard = Guard(classifier=Finder(), policy=policy)
    text = "Fine. This is evil. So."
    assert guard.check(text).release(text) == "Fine. [evil] So."


def test_redact_asks_for_it_whatever_the_policy_blocks() -> None:
    guard = Guard(classifier=Finder(), policy=Policy(replacement="▒"))
    text = "evil. good."
    assert guard.check(text).action is Action.BLOCK
    assert guard.redact(text, source="document").release(text) == "▒ good."
    assert guard.redact("good").release("good") == "good"
    flags = Guard(classifier=Finder(), policy=Policy(actions={Label.INJECTION: Action.FLAG}))
    assert flags.redact(text).action is Action.FLAG


def test_a_verdict_releases_no_other_text(scripted: ScriptedClassifier) -> None:
    policy = Policy(actions={Label.INJECTION: Action.REDACT}, allow=(AllowRule(exact="known"),))
    guard = Guard(classifier=scripted, policy=policy)
    for text, other in (("good", "goop"), ("known", "Known"), ("ignore it. Well.", "Well.")):
        verdict = pickle.loads(pickle.dumps(guard.check(text)))
        assert verdict.release(text) in (text, "[REDACTED]")
        assert "checksum" not in verdict.to_dict()
        with pytest.raises(InputError, match="another text"):
            verdict.release(other)
    with pytest.raises(Blocked):
        guard.check("pretend").release("other")


def test_batches_redact_too() -> None:
    texts = ["good", "evil. good."]
    verdicts = Guard(classifier=Finder(), policy=REDACTS).check_batch(texts)
    released = [v.release(text) for v, text in zip(verdicts, texts, strict=True)]
    assert released == ["good", "[REDACTED] good."]


def test_the_redacted_text_is_in_the_json_and_not_in_the_repr() -> None:
    verdict = Guard(classifier=Finder(), policy=REDACTS).check("evil. good.")
    assert verdict.to_dict()["redaction"] == {"text": "[REDACTED] good.", "cuts": ((0, 5),)}
    assert "good" not in repr(verdict)


@pytest.mark.parametrize(
    ("text", "span", "wide"),
    [
        ("a. bad! c.", (3, 6), (3, 7)),
        ("a.b bad c.d", (4, 7), (0, 11)),
        ("好。坏！好", (2, 3), (2, 4)),
        ("one\nbad\nthree", (4, 7), (4, 7)),
        ('He said "no." then bad', (19, 22), (14, 22)),
        ("bad.", (0, 4), (0, 4)),
        ("", (0, 0), (0, 0)),
    ],
)
def test_a_sentence_ends_where_a_reader_would_end_it(
    text: str, span: tuple[int, int], wide: tuple[int, int]
) -> None:
    assert sentence(text, *span) == wide


def test_no_character_is_cut_in_half() -> None:
    assert merge("ae\u0301\u0302b", [(0, 2)]) == ((0, 4),)
    assert merge("a\ud83d\ude00b", [(0, 2)]) == ((0, 3),)
    assert merge("a\ud83d\ude00b", [(2, 3)]) == ((1, 3),)
    assert merge("abcdef", [(4, 5), (0, 2), (1, 3), (3, 4), (5, 5)]) == ((0, 5),)


@st.composite
def texts_and_cuts(draw: Any) -> tuple[str, tuple[tuple[int, int], ...]]:
    text = draw(ODD)
    places = st.integers(0, len(text))
    spans = draw(st.lists(st.tuples(places, places).map(lambda s: (min(s), max(s))), max_size=5))
    return text, merge(text, spans)


@given(texts_and_cuts(), st.sampled_from(["", "x", "[REDACTED]"]), st.data())
def test_spans_of_a_redacted_text_lead_back_to_the_original(
    case: tuple[str, tuple[tuple[int, int], ...]], replacement: str, data: st.DataObject
) -> None:
    text, cuts = case
    rest = redact(text, cuts, replacement)
    check_redaction(text, Redaction(rest, cuts), replacement)
    origins: list[tuple[int, int]] = []  # of every character of the rest
    place = 0
    for start, end in [*cuts, (len(text), len(text))]:
        origins += [(i, i + 1) for i in range(place, start)]
        origins += [(start, end)] * (len(replacement) if start < end else 0)
        place = end
    assert len(origins) == len(rest)
    if rest:
        first = data.draw(st.integers(0, len(rest) - 1))
        last = data.draw(st.integers(first, len(rest) - 1))
        expected = origins[first][0], origins[last][1]
        assert original_span((first, last + 1), cuts, replacement) == expected


@settings(deadline=None)
@given(ODD, ODD, st.sampled_from([None, 0, 2]), st.booleans())
def test_what_is_offered_differs_from_the_original_in_the_cuts_alone(
    before: str, after: str, window: int | None, shows: bool
) -> None:
    text = f"{before}evil{after}"
    verdict = Guard(classifier=Finder(window=window, shows=shows), policy=REDACTS).check(text)
    assert verdict.redaction is not None
    check_redaction(text, verdict.redaction, "[REDACTED]")
    assert "evil" not in verdict.release(text)


@settings(deadline=None)
@given(ODD, ODD, st.binary(min_size=3, max_size=12))
def test_an_encoded_payload_is_cut_whole(before: str, after: str, hidden: bytes) -> None:
    payload = base64.b64encode(b"ignore " + hidden).decode()
    text = f"{before} {payload} {after}"
    verdict = Guard(classifier=Finder(word=payload), policy=REDACTS).check(text)
    assert verdict.redaction is not None
    check_redaction(text, verdict.redaction, "[REDACTED]")
    assert payload not in verdict.redaction.text

"""FlipAttack: words, letters or whole sentences written back to front, and kin of it.

Four modes are known: the order of the words (FWO), the letters inside every word (FCW), the letters
of the sentence (FCS), and the last with guidance that speaks of words (FMM). In all but the first,
words turn into strings that are words only when reversed; in the first, function words stand on the
wrong side of their neighbours. Both are looked for a run of words or a sentence at a time. Of other
languages, which have no list of words here, overrides alone are known when they are turned round.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from operator import attrgetter

from tinyguardrail_sdk.detectors import english, override
from tinyguardrail_sdk.detectors.english import Words
from tinyguardrail_sdk.detectors.match import Match, blocks, distinct, lines
from tinyguardrail_sdk.detectors.runs import runs
from tinyguardrail_sdk.labels import Pattern
from tinyguardrail_sdk.normalize import Canonical

_MIRRORED_ENOUGH = 2.5  # the weight of two long reversed words, or of three short ones
_MAX_DROP = 2.0  # the weight of forward words that ends a run of reversed ones
_UNKNOWN = -0.3
_FORWARD = -1.0
_SILENT = frozenset("#M1O.")
_BESIDE = frozenset("uk1M#")
_MARKS = ".?!,;:"
_WORD = re.compile(r"\S+")

_SENTENCE = re.compile(r"[^.]{3,}")
_REORDERED_ENOUGH = 8  # half nats; some 1.5 % of innocent texts hold such a sentence
_FIRM = 12
_MIN_WORDS = 4
_MAX_GAP = 5  # tokens between two reversed sentences: marks, and a quoted name
_CUE = 3
_STRANGE_KINDS, _LEAST_STRANGE = "u1O", 0.5  # kinds of words that are no English, and their share
_DANGEROUS = 0.4
_LONG, _LEAST_LONG = 4, 3  # letters, and words of so many
_NO_FORWARD, _FORWARD_SHARE = "uxk1#MO.", 0.25
# Letters upside down; half of the alphabet turns into other plain letters.
_UPRIGHT = str.maketrans(
    "ɐqɔpǝɟƃᵷɓɥᴉıᴵɾſʞʃןꞁɯuodbɹsʇnʌʍxʎz˙'¿¡،‘,", "abcdefggghiiijjklllmnopqrstuvwxyz.,?!,,'"
)
_TURNED_LETTER, _LEAST_TURNED, _UPRIGHT_SHARE = re.compile("[ɐɔǝɟƃᵷɥᴉɾʞɯɹʇʌʍʎ]"), 5, 0.5
_GUIDANCE = frozenset(
    ("reverse", "reversed", "reversing", "backward", "backwards", "flip", "flipped", "flipping")
)


def find(canonical: Canonical, words: Words | None = None) -> list[Match]:
    """Every flipped stretch, with the text it was before flipping."""
    words = words or english.read(canonical.text)
    turned = list(_turned(canonical))
    found = [*turned, *_foreign(canonical, words)]
    mirrored = words.kinds.count("x") + words.kinds.count("k") >= 2
    reordered = _any_backward(words.kinds)
    if not mirrored and not reordered:
        return distinct(found)
    located = english.locate(canonical.text)
    guided = not _GUIDANCE.isdisjoint(located.tokens)
    if mirrored:
        found += _some_mirrored(canonical, located)
        found += _mirrored(canonical, located, guided)
    if reordered:
        found += _reordered(canonical, located, guided)
    return distinct([*turned, *(match for match in found if not _is_inside(match, turned))])


def _is_inside(match: Match, others: list[Match]) -> bool:
    """Whether a match lies in one of others that stand in order and do not overlap."""
    at = bisect(others, match.start, key=attrgetter("start")) - 1
    return at >= 0 and match.end <= others[at].end


def _match(
    canonical: Canonical, score: float, span: tuple[int, int], reason: str, view: str, guided: bool
) -> Match:
    if guided or english.is_request(view):
        score += 0.1
    score = max(min(score, 0.95), override.strength(view))
    return Match(Pattern.FLIP, score, *canonical.span(*span), reason, view)


def _mirrored(canonical: Canonical, words: Words, guided: bool) -> Iterator[Match]:
    for first, last, weight in runs(_weights(words), _MIRRORED_ENOUGH, _MAX_DROP):
        start, end = _with_marks(canonical.text, *_widened(words, first, last))
        piece = canonical.text[start:end]
        score = 0.5 if weight < 4 else 0.75 if weight < 6 else 0.9
        reason = "words spelled backwards"
        yield _match(canonical, score, (start, end), reason, _unmirrored(piece), guided)


def _foreign(canonical: Canonical, words: Words) -> Iterator[Match]:
    """Lines of another language that hold an override when they are read backwards."""
    strange = sum(map(words.kinds.count, _STRANGE_KINDS))
    if strange < _LEAST_STRANGE * (len(words.kinds) - words.kinds.count(".")) or not strange:
        return
    for start, end in lines(canonical.text):
        line = canonical.text[start:end]
        for view in (line[::-1], _each_reversed(line)):
            danger = override.strength(view)
            if danger >= _DANGEROUS and danger > override.strength(line):
                span = canonical.span(start, end)
                yield Match(Pattern.FLIP, danger, *span, "an override spelled backwards", view)
                break


def _turned(canonical: Canonical) -> Iterator[Match]:
    """Lines in letters that stand on their heads, which are read from the end."""
    raw = canonical.raw
    if raw.isascii():
        return
    for start, end in blocks(raw, _TURNED_LETTER):
        turned = raw[start:end]
        view = _upright(turned)
        if len(_TURNED_LETTER.findall(turned)) >= _LEAST_TURNED and (
            english.share_known(view) >= _UPRIGHT_SHARE
        ):
            score = max(0.75, override.strength(view))
            yield Match(Pattern.FLIP, score, start, end, "letters turned upside down", view)


def _upright(text: str) -> str:
    return text.lower().translate(_UPRIGHT)[::-1]


def _some_mirrored(canonical: Canonical, words: Words) -> Iterator[Match]:
    """Lines with long words spelled backwards among words that are not."""
    text, at = canonical.text, 0
    for start, end in lines(text):
        first = at
        while at < len(words.spans) and words.spans[at][0] < end:
            at += 1
        turned = [
            place
            for place in range(first, at)
            if words.kinds[place] == "x" and len(words.tokens[place]) >= _LONG
        ]
        if len(turned) < _LEAST_LONG:
            continue
        among = words.kinds[turned[0] : turned[-1]]
        if sum(kind not in _NO_FORWARD for kind in among) < _FORWARD_SHARE * len(among):
            continue
        view = list(text[start:end])
        for place in turned:
            span = slice(*(edge - start for edge in words.spans[place]))
            view[span] = reversed(view[span])
        spelt = "".join(view)
        score = max(0.5 if len(turned) < 5 else 0.75, override.strength(spelt))
        span_of_line = canonical.span(start, end)
        yield Match(Pattern.FLIP, score, *span_of_line, "long words spelled backwards", spelt)


def _weights(words: Words) -> list[float]:
    known = english.kinds_of_words()
    weights: list[float] = []
    for token, kind in zip(words.tokens, words.kinds, strict=True):
        if kind == "x":
            weights.append(1.5 if len(token) > 4 else 1.0)
        elif kind == "k":
            weights.append(0.5)
        elif kind == "u":
            weights.append(_UNKNOWN)
        else:
            # A palindrome, or a word both ways round, fits either reading.
            either = kind in _SILENT or token[::-1] in known
            weights.append(0.0 if either else _FORWARD)
    return weights


def _widened(words: Words, first: int, last: int) -> tuple[int, int]:
    """The run as a span, with the names and numbers beside it."""
    while first > 0 and words.kinds[first - 1] in _BESIDE:
        first -= 1
    while last + 1 < len(words.kinds):
        after = last + 1
        # The full stop of a reversed word stands before it.
        if words.tokens[after] in _MARKS and after + 1 < len(words.kinds):
            after += words.spans[after][1] == words.spans[after + 1][0]
        if words.kinds[after] not in _BESIDE:
            break
        last = after
    return words.spans[first][0], words.spans[last][1]


def _with_marks(text: str, start: int, end: int) -> tuple[int, int]:
    while start > 0 and text[start - 1] in _MARKS:
        start -= 1
    while end < len(text) and text[end] in _MARKS:
        end += 1
    return start, end


def _each_reversed(text: str) -> str:
    return _WORD.sub(lambda word: word.group()[::-1], text)


def _unmirrored(piece: str) -> str:
    """Undo FCS or FCW, whichever leaves the words in the better order."""
    whole = piece[::-1]
    each = _each_reversed(piece)
    by_order = english.order(english.read(whole).kinds) - english.order(english.read(each).kinds)
    return each if by_order < 0 or (by_order == 0 and each[:1].isupper()) else whole


def _reordered(canonical: Canonical, words: Words, guided: bool) -> Iterator[Match]:
    text = canonical.text
    for first, last, evidence in _backward_sentences(text, words):
        start, end = words.spans[first][0], words.spans[last][1]
        chunks = text[start:end].split()
        # Addresses, paths and identifiers are many words in one: no sentence.
        if len(chunks) < max(_MIN_WORDS, 0.75 * (last - first)):
            continue
        end = _with_marks(text, end, end)[1]
        view = " ".join(text[start:end].split()[::-1])
        score = 0.3 if evidence < _FIRM else 0.6 if evidence < 2 * _REORDERED_ENOUGH else 0.85
        yield _match(canonical, score, (start, end), "words in reverse order", view, guided)


def _any_backward(kinds: str) -> bool:
    return english.twice_out_of_order(kinds) and any(
        -english.order(f".{sentence.group()}.") >= _REORDERED_ENOUGH - 2 * _CUE
        for sentence in _SENTENCE.finditer(kinds)
        if english.twice_out_of_order(sentence.group())
    )


def _backward_sentences(text: str, words: Words) -> Iterator[tuple[int, int, int]]:
    """First and last word of each stretch in reverse order, neighbours joined, and its evidence."""
    joined: tuple[int, int, int] | None = None
    for sentence in _SENTENCE.finditer(words.kinds):
        first, last = sentence.start(), sentence.end() - 1
        evidence = -english.order(f".{sentence.group()}.")
        if evidence < _REORDERED_ENOUGH - 2 * _CUE:
            continue
        first, cues = _opening(text, words, first, last)
        evidence += cues
        if evidence < max(_REORDERED_ENOUGH, (last - first) // 2):
            continue
        if (
            joined
            and first - joined[1] <= _MAX_GAP
            and "\n" not in text[words.spans[joined[1]][1] : words.spans[first][0]]
        ):
            joined = joined[0], last, joined[2] + evidence
            continue
        if joined:
            yield joined
        joined = first, last, evidence
    if joined:
        yield joined


def _opening(text: str, words: Words, first: int, last: int) -> tuple[int, int]:
    """Where a sentence really opens, and how much its outside looks like one turned round.

    The full stop of a reversed sentence stands behind its first word, its capital in its last word.
    """
    start, cues = words.spans[first][0], 0
    mark = words.tokens[first - 1] if first else ""
    if mark in (".", "?", "!") and first > 1 and words.kinds[first - 2] != ".":
        alone = first == 2 or words.kinds[first - 3] == "."
        if alone and words.spans[first - 2][1] == words.spans[first - 1][0]:
            first, cues = first - 2, _CUE
            start = words.spans[first][0]
    capital = text[words.spans[last][0]]
    if capital.isupper() and len(words.tokens[last]) > 1 and text[start].islower():
        cues += _CUE
    return first, cues

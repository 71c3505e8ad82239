"""Ciphers that a model can undo in its head or by running a program it is given.

Letters exchanged, respelled, set apart or in another order, words taken apart, and CodeChameleon's
kind: a sentence taken apart, a function that puts it together, and the order to answer what comes
out.
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyguardrail_sdk.detectors import (
    cuts,
    drawn,
    english,
    fillers,
    letter_case,
    override,
    polyalphabetic,
    programs,
    respelling,
    scrambled,
    substitution,
    transposed,
    trials,
    unspaced,
    vowels,
)
from tinyguardrail_sdk.detectors.english import Words
from tinyguardrail_sdk.detectors.match import Match, distinct
from tinyguardrail_sdk.detectors.respelling import Respelled
from tinyguardrail_sdk.labels import Pattern
from tinyguardrail_sdk.normalize import Canonical

# From which weight on which score, in order.
_Scores = tuple[tuple[int, float], ...]

_RUN_IT = frozenset(
    "decrypt decrypted decryption decode decoded decipher output execute run result answer "
    "solution "
    "solve respond concatenate concatenation instruction instructions joined combine".split()
)

_EXCHANGED = {
    substitution.ATBASH: "words in Atbash",
    substitution.RIGHT_KEYS: "words typed one key to the right",
    substitution.LEFT_KEYS: "words typed one key to the left",
}


def find(canonical: Canonical, words: Words | None = None) -> list[Match]:
    """Every ciphered stretch that can be read, and programs that decrypt what cannot."""
    text = canonical.text
    words = words or english.read(text)
    return distinct(
        Match(Pattern.CIPHER, score, *canonical.span(start, end), reason, view)
        for score, start, end, reason, view in _found(text, words)
    )


def _found(text: str, words: Words) -> Iterator[tuple[float, int, int, str, str | None]]:
    for start, end, shift, view in substitution.find(text, words, _is_not_rot13):
        how = _EXCHANGED.get(shift, "words in a Caesar shift")
        yield _judged(0.7, view), start, end, how, view
    for reason, scores, found in _respelled(text, words):
        for one in found:
            yield (
                _judged(_score(one.weight, scores), one.view),
                one.start,
                one.end,
                reason,
                one.view,
            )
    yield from _programs(text, words)


def _respelled(text: str, words: Words) -> Iterator[tuple[str, _Scores, Iterator[Respelled]]]:
    """Each way to respell: what a user is told, the scores by weight, and what is found of it."""
    leet = ((0, 0.35), (3, 0.5), (4, 0.65), (6, 0.8))
    yield "words in leetspeak", leet, respelling.leet(text, words)
    yield "letters drawn with signs", ((0, 0.6), (6, 0.8)), drawn.find(text)
    spaced = ((0, 0.3), (8, 0.55), (16, 0.75))
    yield "letters set apart", spaced, respelling.spaced(text, words)
    yield "words in pig Latin", ((0, 0.45), (5, 0.7)), respelling.pig_latin(text, words)
    yield "words cut apart", ((0, 0.4), (12, 0.65)), cuts.find(text, words)
    yield "words run together", ((0, 0.4), (8, 0.6)), unspaced.find(text)
    yield "words in odd case", ((0, 0.4), (6, 0.65)), letter_case.find(text)
    strange = ((0, 0.45), (5, 0.65))
    yield "words with their letters in another order", strange, scrambled.find(text, words)
    yield "words without their vowels", strange, vowels.find(text, words)
    yield "words with syllables put in", strange, fillers.find(text, words)
    pieces = trials.pieces(text, words)
    yield "letters transposed", ((0, 0.6), (6, 0.75)), transposed.find(pieces)
    yield "words in a Vigenere cipher", ((0, 0.7),), polyalphabetic.find(pieces)


def _score(weight: int, scores: _Scores) -> float:
    return next(score for least, score in reversed(scores) if weight >= least)


def _is_not_rot13(shift: int) -> bool:
    return shift != substitution.ROT13


def _judged(score: float, view: str) -> float:
    score += 0.1 * english.is_request(view)
    return max(min(score, 0.95), override.strength(view))


def _programs(text: str, words: Words) -> Iterator[tuple[float, int, int, str, str | None]]:
    heads = programs.decryptions(text) if "def" in text else []
    run_it = not _RUN_IT.isdisjoint(words.tokens)
    for one in programs.rebuilt(text):
        if one.view is None:
            yield 0.8, one.start, one.end, one.how, None
            continue
        if english.share_known(one.view) < 0.5 or one.view.count(" ") < 2:
            continue
        danger = override.strength(one.view)
        score = 0.2 + 0.25 * run_it + 0.35 * bool(heads) + 0.2 * english.is_request(one.view)
        score += 0.2 * ("inside words" in one.how)
        score = max(score, 0.5 + 0.4 * danger if danger >= 0.4 else 0.0)
        yield min(score, 1.0), one.start, one.end, one.how, one.view
    for start, end in heads:
        yield 0.4, start, end, "a decryption function", None

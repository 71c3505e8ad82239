"""Ciphers that a model can undo in its head or by running a program it is given.

Caesar shifts and Atbash, leetspeak, letters set apart, pig Latin, and CodeChameleon's kind: a
sentence taken apart, a function that puts it together, and the order to answer what comes out.
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyguardrail_sdk.detectors import drawn, english, override, programs, respelling, substitution
from tinyguardrail_sdk.detectors.english import Words
from tinyguardrail_sdk.detectors.match import Match, distinct
from tinyguardrail_sdk.labels import Pattern
from tinyguardrail_sdk.normalize import Canonical

_RUN_IT = frozenset(
    "decrypt decrypted decryption decode decoded decipher output execute run result answer "
    "solution "
    "solve respond concatenate concatenation instruction instructions joined combine".split()
)


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
        name = "Atbash" if shift == substitution.ATBASH else "a Caesar shift"
        yield _judged(0.7, view), start, end, f"words in {name}", view
    for one in respelling.leet(text, words):
        score = (0.35, 0.5, 0.65, 0.65, 0.8)[min(one.weight, 6) - 2]
        yield _judged(score, one.view), one.start, one.end, "words in leetspeak", one.view
    for one in drawn.find(text):
        score = 0.6 if one.weight < 6 else 0.8
        yield _judged(score, one.view), one.start, one.end, "letters drawn with signs", one.view
    for one in respelling.spaced(text, words):
        score = 0.3 if one.weight < 8 else 0.55 if one.weight < 16 else 0.75
        yield _judged(score, one.view), one.start, one.end, "letters set apart", one.view
    for one in respelling.pig_latin(text, words):
        score = 0.45 if one.weight < 5 else 0.7
        yield _judged(score, one.view), one.start, one.end, "words in pig Latin", one.view
    yield from _programs(text, words)


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

"""Wording that overrides instructions, takes over the role, asks for the prompt or sends data away.

The scores are evidence for the network and findings for a reader, not a verdict: a text *about*
such attacks holds the same words. Quotation and negation lower them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import itemgetter

from tinyguardrail_sdk.detectors import english
from tinyguardrail_sdk.detectors.english import Words
from tinyguardrail_sdk.detectors.match import Match, distinct
from tinyguardrail_sdk.detectors.phrases import ENGLISH
from tinyguardrail_sdk.detectors.phrases_world import LATIN, MARKUP, SCRIPTS
from tinyguardrail_sdk.detectors.rules import LEAK, OVERRIDE, Rule
from tinyguardrail_sdk.labels import Pattern
from tinyguardrail_sdk.normalize import Canonical

_opening = itemgetter(slice(5))
_RULES_BY_HEAD = {
    head: tuple(rule for rule in (*ENGLISH, *LATIN) if head in rule.heads)
    for rule in (*ENGLISH, *LATIN)
    for head in rule.heads
}
_HEADS = frozenset(_RULES_BY_HEAD)
_ACCENTS = str.maketrans("àáâãäåçèéêëìíîïñòóôõöùúûüýÿ", "aaaaaaceeeeiiiinooooouuuuyy")

_NEGATION = re.compile(
    r"(?:not|n't|never|without|cannot|nicht|pas|nunca|jamais|instead of)[\W\w]{0,5}$"
)
_QUOTE = frozenset("\"'`*“«")
_ABOUT = re.compile(
    r"attack|inject|jailbreak|example|e\.g\.|such as|phrases?\b|detect|classif|malicious|adversar"
)


def find(canonical: Canonical, words: Words | None = None) -> list[Match]:
    """Every such wording in the text."""
    words = words or english.read(canonical.text)
    return distinct(
        Match(Pattern.OVERRIDE, score, *canonical.span(start, end), rule.reason)
        for rule, score, start, end in _hits(canonical.text, words)
    )


def strength(text: str) -> float:
    """The score of the strongest such wording in a decoded view, 0 where there is none."""
    return max((score for _, score, _, _ in _hits(text, english.read(text))), default=0.0)


def _hits(text: str, words: Words) -> Iterator[tuple[Rule, float, int, int]]:
    rules = _candidates(text, words)
    if not rules:
        return
    low = english.lower(text)
    if not low.isascii():
        low = low.translate(_ACCENTS)
    for rule in rules:
        if rule.needs and not any(need in low for need in rule.needs):
            continue
        for found in rule.pattern.finditer(low):
            start, end = found.span()
            # Asked here and not in the pattern, which must open with a letter to be found fast.
            if rule.heads and start and low[start - 1].isalnum():
                continue
            yield rule, rule.score * _context(low, start, rule), start, end


def _candidates(text: str, words: Words) -> list[Rule]:
    heads = set(map(_opening, words.tokens))
    rules: list[Rule] = []
    if not text.isascii():
        heads = {head.translate(_ACCENTS) for head in heads}
        for script, of_script in SCRIPTS:
            if script.search(text):
                rules += of_script
    hits = heads & _HEADS
    if hits:
        rules += dict.fromkeys(rule for head in sorted(hits) for rule in _RULES_BY_HEAD[head])
    rules += (rule for mark, rule in MARKUP if mark in text)
    return rules


def _context(low: str, start: int, rule: Rule) -> float:
    """How much of a rule's score stands: the words right before it may turn its sense."""
    before = low[max(0, start - 16) : start]
    if rule.reason in (OVERRIDE, LEAK) and _NEGATION.search(before):
        return 0.4
    if before[-1:] in _QUOTE and before and _ABOUT.search(low, max(0, start - 400), start):
        return 0.6
    return 1.0

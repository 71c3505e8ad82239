"""A rule of `override`, the reasons it may give, and the shorthand its pattern is written in.

A rule runs only where one of its heads stands in the text: a head is the first five letters of a
word. Patterns see lower-cased canonical text, and every repetition in them is bounded, so that no
input makes one slow. Scores: 0.8 and more for what hardly has an innocent use, 0.4 to 0.7 for what
needs its context, 0.2 to 0.35 for a hint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One wording: heads that announce it, and what it looks like."""

    heads: frozenset[str]
    pattern: re.Pattern[str]
    score: float
    reason: str
    needs: tuple[str, ...] = ()  # of these characters, one must occur


def rule(heads: str, score: float, reason: str, pattern: str, needs: tuple[str, ...] = ()) -> Rule:
    """A rule for a language that parts its words.

    Args:
        heads: First five letters of the words that announce it.
        score: Strength of the evidence.
        reason: What a user is told.
        pattern: A regular expression in which `_` is the gap between two words and `~` a gap with
            up to four words in it.
        needs: Strings of which one must occur for the pattern to be tried.
    """
    spaced = pattern.replace("~", r"(?:\W{1,6}[\w']{1,30}){0,4}?\W{1,6}").replace("_", r"\W{1,6}")
    return Rule(frozenset(heads.split()), re.compile(rf"(?:{spaced})(?!\w)"), score, reason, needs)


OVERRIDE = "instruction override"
LEAK = "request for the hidden prompt"
ROLE = "role hijack"
REFUSAL = "refusal suppression"
EXFILTRATION = "data sent elsewhere"
HIDDEN = "instruction addressed to a model"
AUTHORITY = "claimed authority"
FRAME = "framing as fiction or study"

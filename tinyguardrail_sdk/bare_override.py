"""A text that is nothing but an instruction override is one, whatever the network makes of it.

The one place where a detector decides: three or four words give the network little to go by, and
nothing stands around them that could make them harmless. Of 37,250 harmless texts of that length in
the mined training, validation and test sets of guard-v5 none is of this kind; of those of guard-v4
one was, "Please discard my previous message".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinyguardrail_sdk.labels import Pattern

if TYPE_CHECKING:
    from tinyguardrail_sdk.detectors.match import Match

_LONGEST = 200
_SURE = 0.9
_LIKELY = 0.8  # what stands beside a sure one: "and show me your system prompt"
_SHARE = 0.8  # of the letters and digits, so that "please" may stand before it


def is_bare_override(text: str, matches: Sequence[Match]) -> bool:
    """Whether matches of override phrases, one of them sure, cover nearly all of a short text.

    Args:
        text: The raw text.
        matches: What the detectors found in it.
    """
    likely = [m for m in matches if m.pattern is Pattern.OVERRIDE and m.score >= _LIKELY]
    if len(text) > _LONGEST or max((m.score for m in likely), default=0.0) < _SURE:
        return False
    covered = {at for match in likely for at in range(match.start, match.end)}
    letters = [at for at, character in enumerate(text) if character.isalnum()]
    return len(covered.intersection(letters)) >= _SHARE * len(letters)

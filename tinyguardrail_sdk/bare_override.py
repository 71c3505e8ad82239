"""A text that is nothing but an instruction override is one, whatever the network makes of it.

The one place where a detector decides: three or four words give the network little to go by, and
nothing stands around them that could make them harmless. Of 86,715 harmless texts of training,
validation and test one is of this kind: "Please discard my previous message".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinyguardrail_sdk.labels import Pattern

if TYPE_CHECKING:
    from tinyguardrail_sdk.detectors.match import Match

_LONGEST = 200
_SURE = 0.9
_SHARE = 0.8  # of the letters and digits, so that "please" may stand before it


def is_bare_override(text: str, matches: Sequence[Match]) -> bool:
    """Whether sure matches of override phrases cover nearly all of a short text.

    Args:
        text: The raw text.
        matches: What the detectors found in it.
    """
    sure = [m for m in matches if m.pattern is Pattern.OVERRIDE and m.score >= _SURE]
    if not sure or len(text) > _LONGEST:
        return False
    covered = {at for match in sure for at in range(match.start, match.end)}
    letters = [at for at, character in enumerate(text) if character.isalnum()]
    return len(covered.intersection(letters)) >= _SHARE * len(letters)

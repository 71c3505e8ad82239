"""Six deterministic detectors of attack patterns, and one call that runs them all."""

from __future__ import annotations

from tinyguardrail_sdk.detectors import (
    cipher,
    encoding,
    english,
    flip,
    homoglyph,
    invisible,
    override,
)
from tinyguardrail_sdk.detectors.match import Match
from tinyguardrail_sdk.normalize import Canonical

DETECTORS_VERSION = 3

__all__ = ["DETECTORS_VERSION", "Match", "detect"]


def detect(canonical: Canonical) -> list[Match]:
    """Run the six detectors over a text.

    Args:
        canonical: The text as `normalize` returned it.

    Returns:
        Everything found, in the order of `Pattern`, spans in the raw text. Takes time linear in the
        length of the text (but for the sorting of what was found), and never raises on any text.
    """
    words = english.read(canonical.text)
    return [
        *flip.find(canonical, words),
        *homoglyph.find(canonical),
        *encoding.find(canonical, words),
        *invisible.find(canonical),
        *cipher.find(canonical, words),
        *override.find(canonical, words),
    ]

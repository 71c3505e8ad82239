"""The 16-bit response: one verdict in one machine word, for logs, columns and wire formats.

    15 14   13       12     11 .. 6             5 .. 0
    label   blocked  deep   detector flags      confidence (0..63)

The six flags stand in the order of `PATTERNS`, flip first (bit 11). The network's `bit_response`
uses this layout too, so the shifts below are shared with the training pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, PATTERNS, Label, Pattern

LABEL_SHIFT = 14
BLOCKED_SHIFT = 13
DEEP_SHIFT = 12
CONFIDENCE_BITS = 6
CONFIDENCE_MAX = (1 << CONFIDENCE_BITS) - 1
# The first pattern owns the highest of the six flag bits.
PATTERN_SHIFTS = tuple(CONFIDENCE_BITS + i for i in reversed(range(len(PATTERNS))))


@dataclass(frozen=True, slots=True)
class BitResponse:
    """A 16-bit response, taken apart.

    Attributes:
        label: The reported class.
        blocked: Whether the policy blocked the text.
        deep: Whether the deep branch answered, directly or by escalation.
        patterns: The detectors that found something, in the order of `PATTERNS`.
        confidence: Probability of `label`, to the nearest 1/63.
    """

    label: Label
    blocked: bool
    deep: bool
    patterns: tuple[Pattern, ...]
    confidence: float


def pack(response: BitResponse) -> int:
    """Return the word (0..65535) for a response."""
    word = LABELS.index(response.label) << LABEL_SHIFT
    word |= response.blocked << BLOCKED_SHIFT
    word |= response.deep << DEEP_SHIFT
    for pattern, shift in zip(PATTERNS, PATTERN_SHIFTS, strict=True):
        word |= (pattern in response.patterns) << shift
    return word | round(response.confidence * CONFIDENCE_MAX)


def unpack(word: int) -> BitResponse:
    """Take a word apart.

    Raises:
        InputError: The word is not an integer of 16 bits.
    """
    if not isinstance(word, int) or not 0 <= word <= 0xFFFF:
        raise InputError("a 16-bit response is an integer from 0 to 65535")
    flagged = zip(PATTERNS, PATTERN_SHIFTS, strict=True)
    return BitResponse(
        label=LABELS[word >> LABEL_SHIFT],
        blocked=bool(word >> BLOCKED_SHIFT & 1),
        deep=bool(word >> DEEP_SHIFT & 1),
        patterns=tuple(pattern for pattern, shift in flagged if word >> shift & 1),
        confidence=(word & CONFIDENCE_MAX) / CONFIDENCE_MAX,
    )

"""Character ids: what a token really looked like before it was made canonical.

Ids keep case, and the script and trickiness of every odd code point, in 512 entries: ASCII and
Latin-1 have one each; beyond them every kind of character has its own stretch of ids, chosen within
it by the code point modulo the stretch's length.
"""

import numpy as np

from tinyguardrail_sdk.folding import Indices

CHAR_VOCAB_SIZE = 512
CHARS_PER_TOKEN = 20

_LATIN1 = 2  # after padding and one reserved id

# First code point of a block, and its kind. A block ends where the next begins.
_BLOCKS: tuple[tuple[int, str], ...] = (
    (0x100, "latin"),
    (0x250, "phonetic"),
    (0x300, "mark"),
    (0x370, "greek"),
    (0x400, "cyrillic"),
    (0x530, "armenian"),
    (0x590, "hebrew"),
    (0x600, "arabic"),
    (0x61C, "bidi"),
    (0x61D, "arabic"),
    (0x700, "asian"),
    (0x900, "devanagari"),
    (0x980, "indic"),
    (0xE00, "thai"),
    (0xF00, "asian"),
    (0x10A0, "georgian"),
    (0x1100, "hangul"),
    (0x115F, "blank"),
    (0x1161, "hangul"),
    (0x1200, "african"),
    (0x13A0, "cherokee"),
    (0x1400, "canadian"),
    (0x1680, "asian"),
    (0x180B, "variation"),
    (0x1810, "asian"),
    (0x1AB0, "mark"),
    (0x1B00, "asian"),
    (0x1C80, "cyrillic"),
    (0x1C90, "georgian"),
    (0x1CC0, "indic"),
    (0x1D00, "phonetic"),
    (0x1DC0, "mark"),
    (0x1E00, "accented"),
    (0x1F00, "greek"),
    (0x2000, "space"),
    (0x200B, "zero"),
    (0x200E, "bidi"),
    (0x2010, "punctuation"),
    (0x2028, "space"),
    (0x202A, "bidi"),
    (0x202F, "space"),
    (0x2030, "punctuation"),
    (0x205F, "space"),
    (0x2060, "zero"),
    (0x2066, "bidi"),
    (0x206A, "zero"),
    (0x2070, "raised"),
    (0x20A0, "currency"),
    (0x20D0, "mark"),
    (0x2100, "letterlike"),
    (0x2190, "arrow"),
    (0x2200, "math"),
    (0x2300, "technical"),
    (0x2460, "enclosed"),
    (0x2500, "drawing"),
    (0x2600, "emoji"),
    (0x27C0, "math"),
    (0x27F0, "arrow"),
    (0x2800, "braille"),
    (0x2900, "math"),
    (0x2B00, "arrow"),
    (0x2C00, "rare"),
    (0x2C60, "latin"),
    (0x2C80, "coptic"),
    (0x2D00, "georgian"),
    (0x2D30, "african"),
    (0x2DE0, "cyrillic"),
    (0x2E00, "punctuation"),
    (0x2E80, "han"),
    (0x3000, "wide_mark"),
    (0x3040, "kana"),
    (0x3100, "hangul"),
    (0x3164, "blank"),
    (0x3165, "hangul"),
    (0x3190, "han"),
    (0x31F0, "kana"),
    (0x3200, "enclosed"),
    (0x3400, "han"),
    (0xA000, "asian"),
    (0xA4D0, "lisu"),
    (0xA500, "african"),
    (0xA640, "cyrillic"),
    (0xA6A0, "african"),
    (0xA700, "latin"),
    (0xA800, "indic"),
    (0xA960, "hangul"),
    (0xA980, "asian"),
    (0xAB30, "phonetic"),
    (0xAB70, "cherokee"),
    (0xABC0, "asian"),
    (0xAC00, "hangul"),
    (0xD800, "surrogate"),
    (0xE000, "private"),
    (0xF900, "han"),
    (0xFB00, "ligature"),
    (0xFB13, "armenian"),
    (0xFB1D, "hebrew"),
    (0xFB50, "arabic"),
    (0xFE00, "variation"),
    (0xFE10, "wide_mark"),
    (0xFE20, "mark"),
    (0xFE30, "wide_mark"),
    (0xFE70, "arabic"),
    (0xFEFF, "zero"),
    (0xFF00, "fullwidth"),
    (0xFF61, "kana"),
    (0xFFA0, "blank"),
    (0xFFA1, "hangul"),
    (0xFFE0, "currency"),
    (0xFFF0, "replacement"),
    (0x10000, "rare"),
    (0x10400, "deseret"),
    (0x10450, "rare"),
    (0x1B000, "kana"),
    (0x1B300, "rare"),
    (0x1D100, "rare"),
    (0x1D400, "styled"),
    (0x1D6A8, "styled_greek"),
    (0x1D7CE, "styled_digit"),
    (0x1D800, "rare"),
    (0x1EE00, "arabic"),
    (0x1EF00, "rare"),
    (0x1F000, "emoji"),
    (0x1F100, "enclosed"),
    (0x1F1E6, "regional"),
    (0x1F200, "enclosed"),
    (0x1F300, "emoji"),
    (0x1F3FB, "skin"),
    (0x1F400, "emoji"),
    (0x1FB00, "drawing"),
    (0x20000, "han"),
    (0x40000, "rare"),
    (0xE0000, "tag"),
    (0xE0100, "variation"),
    (0xE01F0, "rare"),
    (0xF0000, "private"),
)
# Ids a kind has, where more than one. Cyrillic capitals stand 32 before their small letters and
# styled alphabets repeat every 26: at these lengths a letter meets itself.
_LENGTHS = {
    "cyrillic": 32,
    "styled": 26,
    "greek": 16,
    "fullwidth": 16,
    "han": 12,
    "latin": 12,
    "arabic": 8,
    "emoji": 8,
    "phonetic": 8,
    "tag": 8,
    "hangul": 8,
    "kana": 8,
    "devanagari": 8,
    "punctuation": 6,
    "mark": 6,
    "enclosed": 6,
    "accented": 4,
    "armenian": 4,
    "cherokee": 4,
    "hebrew": 4,
    "indic": 4,
    "thai": 4,
    "zero": 4,
    "bidi": 4,
    "variation": 4,
    "math": 4,
}


def _stretches() -> tuple[Indices, Indices, Indices]:
    """For each block, its first code point, first id and number of ids."""
    first_ids: dict[str, int] = {}
    free = _LATIN1 + 256
    for kind in dict.fromkeys(kind for _, kind in _BLOCKS):
        first_ids[kind] = free
        free += _LENGTHS.get(kind, 1)
    return (
        np.array([start for start, _ in _BLOCKS], np.int32),
        np.array([first_ids[kind] for _, kind in _BLOCKS], np.int32),
        np.array([_LENGTHS.get(kind, 1) for _, kind in _BLOCKS], np.int32),
    )


_STARTS, _FIRST_IDS, _ID_COUNTS = _stretches()


def char_codes(raw: str) -> Indices:
    """The id of every raw character, `(len(raw),)` int32 in `[2, CHAR_VOCAB_SIZE)`."""
    if raw.isascii():
        return np.add(np.frombuffer(raw.encode("ascii"), np.uint8), _LATIN1, dtype=np.int32)
    points = np.frombuffer(raw.encode("utf-32-le", "surrogatepass"), np.int32)
    ids = points + np.int32(_LATIN1)
    odd = np.flatnonzero(points > 0xFF)
    block = np.searchsorted(_STARTS, points[odd], side="right") - 1
    ids[odd] = _FIRST_IDS[block] + points[odd] % _ID_COUNTS[block]
    return ids


def aligned_chars(
    codes: Indices,
    starts: Indices,
    ends: Indices,
    width: int = CHARS_PER_TOKEN,
) -> Indices:
    """The character ids under each token.

    Args:
        codes: `(characters,)`, from `char_codes`.
        starts: `(tokens,)`, the first character of each token.
        ends: `(tokens,)`, one past its last.
        width: Characters kept of a token.

    Returns:
        `(tokens, width)` int32, padded with zeros.
    """
    if not len(codes):
        return np.zeros((len(starts), width), np.int32)
    places: Indices = np.arange(width, dtype=np.int32)
    positions = starts[:, None] + places
    aligned = codes.take(positions, mode="clip")
    aligned *= positions < ends[:, None]
    return aligned

"""Encodings of text as text: each function reads one, or answers None where it cannot be read.

"Readable" is the point: a hash, a key or an image is validly encoded too, and is not our business.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from urllib.parse import unquote

from tinyguardrail_sdk.detectors import english

_OPENING = 20_000  # characters that tell whether bytes are readable: no tail hides what they say
_MIN_LETTERS = 3
_BY_CHANCE = 16
_READABLE_SHARE = 0.95
_LETTER_SHARE = 0.6
_KNOWN_SHARE = 0.5
_PLACES_SHARE = 0.9  # of numbers that are letters: the others are numbers of the text
_MANY_SIGNS = 20  # of Morse code, in any language: so many are no ornament

_BITS = re.compile(r"[01\s]+")
_HEX = re.compile(r"[0-9a-fA-F]+")
_BASE32 = re.compile(r"[A-Z2-7]{16,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+")
_ESCAPE = re.compile(
    r"\\x([0-9a-fA-F]{2})|\\u\{?([0-9a-fA-F]{4})\}?|&#x([0-9a-fA-F]{2,6});"
    r"|&#(\d{2,7});|\bU\+([0-9a-fA-F]{4,6})\s?|\\([0-3][0-7]{2})|\b0x([0-9a-fA-F]{2})\b[\s,]*"
)
_NUMBER = re.compile(r"\d+")
_SQUARE = "abcdefghiklmnopqrstuvwxyz"  # Polybius' square: i and j share a cell
_CELL = re.compile("[1-5][1-5]")
_CELLS_APART = re.compile(r"\s*[/|,;]\s*|\s{2,}")
_SPELT_APART = re.compile(r"\s*[/|,;.\n]\s*|\s{2,}")

_MORSE = dict(
    zip(
        ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- "
        ".-. ... - ..- ...- .-- "
        "-..- -.-- --.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .-.-.- --..-- "
        "..--.. .----. -.-.-- -..-. .--.-. ---... -....-".split(),
        "abcdefghijklmnopqrstuvwxyz0123456789.,?'!/@:-",
        strict=True,
    )
)
# As radio operators spell, in the usual spellings.
_SPELLING = {
    word: word[0]
    for word in (
        "alfa alpha bravo charlie delta echo foxtrot golf hotel india juliett juliet kilo lima "
        "mike november oscar papa quebec romeo sierra tango uniform victor whiskey whisky xray "
        "x-ray yankee zulu"
    ).split()
}
SPELLING_WORDS = frozenset(_SPELLING)
_DASHES = str.maketrans("–—−_•·∙", "----...")


def from_blob(blob: str) -> tuple[str, str] | None:
    """Read an unbroken run of letters and digits as bits, hex, base32 or base64.

    Returns:
        The name of the encoding and the text, or None.
    """
    body = blob.rstrip("=").removeprefix("0x")
    for name, alphabet, decode in (
        ("binary digits", _BITS, from_bits),
        ("hex", _HEX, from_hex),
        ("base32", _BASE32, _from_base32),
        ("base64", _BASE64, _from_base64),
    ):
        if alphabet.fullmatch(body):
            text = decode(body)
            # A few bytes are readable by chance, but hardly English.
            if text and (len(text) >= _BY_CHANCE or english.share_known(text) >= _KNOWN_SHARE):
                return name, text
    return None


def from_bits(digits: str) -> str | None:
    """Read groups of eight binary digits, or of seven where they are written apart."""
    groups = digits.split()
    size = len(groups[0]) if groups and len(groups) > 1 else 8
    digits = "".join(groups)
    if size not in (7, 8) or len(digits) < 3 * size:
        return None
    starts = range(0, len(digits) - size + 1, size)
    return _readable(bytes(int(digits[at : at + size], 2) for at in starts))


def from_hex(digits: str) -> str | None:
    """Read pairs of hexadecimal digits."""
    return _readable(bytes.fromhex(digits[: len(digits) // 2 * 2]))


def from_escapes(text: str) -> str:
    r"""Undo %41, \x41, \u0041, \101, 0x41, U+0041 and &#65; wherever they stand."""
    plain = _ESCAPE.sub(_unescape, unquote(text))
    return html.unescape(plain).encode("utf-8", "replace").decode()


def from_numbers(text: str) -> tuple[str, str] | None:
    """Read a list of numbers as character codes, places in the alphabet or cells of a square.

    Numbers are everywhere, so only those that spell English count.
    """
    digits = _NUMBER.findall(text)
    for name, codes in _number_readings(digits):
        if all(code in (9, 10, 13) or 32 <= code < 127 for code in codes):
            spelt = "".join(map(chr, codes))
            if _letters(spelt) >= _LETTER_SHARE and _spells_english(spelt):
                return name, spelt
    if sum(1 <= int(number) <= 26 for number in digits) >= _PLACES_SHARE * len(digits):
        # Where hyphens join letters, a blank parts words.
        words = text.split() if "-" in text else re.split(r"\s*[/|]\s*|\s{2,}", text)
        spelt = " ".join("".join(map(_at_place, _NUMBER.findall(word))) for word in words)
        if _spells_english(spelt):
            return "places in the alphabet", spelt
    if all(map(_CELL.fullmatch, digits)):
        spelt = " ".join(
            "".join(map(_in_square, _NUMBER.findall(word))) for word in _CELLS_APART.split(text)
        )
        if _spells_english(spelt):
            return "a Polybius square", spelt
    return None


def from_morse(text: str) -> str | None:
    """Read Morse code with any common dot, dash and separator."""
    words = re.split(r"\s*[/|]\s*|\s{2,}", text.translate(_DASHES).strip())
    letters = [[_MORSE.get(sign) for sign in word.split()] for word in words]
    flat = [letter for word in letters for letter in word]
    if (
        flat.count(None) > len(flat) // 10
        or len(set(flat)) < 4
        or text.translate(_DASHES).count("-") < len(flat) // 4
    ):
        return None
    spelt = " ".join("".join(filter(None, word)) for word in letters)
    many = len(flat) >= _MANY_SIGNS
    return spelt if many or len(words) == 1 or _spells_english(spelt) else None


def from_spelling(text: str) -> str:
    """Read the spelling alphabet; what is no word of it stays, and marks part words."""
    words = _SPELT_APART.split(text.strip())
    return " ".join(
        "".join(_SPELLING.get(one.lower(), one) for one in word.split()) for word in words
    )


def from_codes(calls: str) -> str | None:
    """Read the numbers of calls such as `chr(73)`."""
    try:
        return _readable("".join(chr(int(code)) for code in _NUMBER.findall(calls)).encode())
    except (ValueError, OverflowError):
        return None


def from_base85(blob: str) -> tuple[str, str] | None:
    """Read an unbroken run of signs as base85, in Python's alphabet or Adobe's."""
    for name, decode in (("base85", base64.b85decode), ("ascii85", base64.a85decode)):
        try:
            text = _readable(decode(blob))
        except ValueError:
            continue
        if text:
            return name, text
    return None


def from_ascii85(text: str) -> str | None:
    """Read Adobe's `<~...~>`."""
    try:
        return _readable(base64.a85decode(text, adobe=True))
    except ValueError:
        return None


def _from_base32(body: str) -> str | None:
    whole = body[: len(body) // 8 * 8] or body
    try:
        return _readable(base64.b32decode(body + "=" * (-len(body) % 8)))
    except binascii.Error:
        return _readable(base64.b32decode(whole)) if len(whole) % 8 == 0 else None


def _from_base64(body: str) -> str | None:
    if body.islower() or body.isupper() or body.isdigit():
        return None
    body = body.translate({45: "+", 95: "/"})
    body = body[:-1] if len(body) % 4 == 1 else body
    return _readable(base64.b64decode(body + "=" * (-len(body) % 4)))


def _readable(data: bytes) -> str | None:
    wide = data[1::2].count(0) > len(data) // 4
    try:
        text = data.decode("utf-16-le" if wide else "utf-8")
    except UnicodeDecodeError as error:
        # A cut at the end splits a character; anywhere else the bytes are no text.
        if wide or error.start < len(data) - 3:
            return None
        text = data[: error.start].decode()
    text = text.strip("\0")
    if _BITS.fullmatch(text) and len(text) >= 24:
        return text
    opening = text[:_OPENING]
    letters = sum(map(str.isalpha, opening))
    visible = sum(one.isprintable() or one in "\n\r\t" for one in opening)
    if letters < _MIN_LETTERS or visible < _READABLE_SHARE * len(opening):
        return None
    ordinary = sum(one.isalnum() or one in " =" for one in opening)
    return text if ordinary >= _LETTER_SHARE * len(opening) else None


def _unescape(escape: re.Match[str]) -> str:
    group = escape.lastindex or 1
    base = {4: 10, 6: 8}.get(group, 16)
    code = int(escape.group(group), base)
    return chr(code) if code < 0x110000 else escape.group()


def _at_place(number: str) -> str:
    return chr(96 + int(number)) if 1 <= int(number) <= 26 else number


def _in_square(cell: str) -> str:
    return _SQUARE[5 * int(cell[0]) + int(cell[1]) - 6]


def _number_readings(digits: list[str]) -> list[tuple[str, list[int]]]:
    readings = [("decimal character codes", [int(number) for number in digits])]
    if all(set(number) <= set("01234567") for number in digits):
        readings.append(("octal character codes", [int(number, 8) for number in digits]))
    return readings


def _letters(text: str) -> float:
    return sum(one.isalpha() or one == " " for one in text) / max(1, len(text))


def _spells_english(text: str) -> bool:
    return sum(map(str.isalpha, text)) >= 5 and english.share_known(text) >= _KNOWN_SHARE

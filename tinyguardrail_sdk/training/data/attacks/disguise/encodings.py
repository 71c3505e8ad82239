"""Encodings that any decoder undoes."""

from __future__ import annotations

import base64
import html
from urllib.parse import quote

_MORSE = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz0123456789.,?!",
        (".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- "
         ".-- -..- -.-- --.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .-.-.- "
         "--..-- ..--.. -.-.--").split(),
        strict=True,
    )
)  # fmt: skip


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def to_base64(text: str) -> str:
    """Standard alphabet, padded."""
    return base64.b64encode(_bytes(text)).decode()


def to_base64_url(text: str) -> str:
    """URL-safe alphabet without padding."""
    return base64.urlsafe_b64encode(_bytes(text)).decode().rstrip("=")


def to_base64_lines(text: str) -> str:
    """Standard alphabet, broken after 64 characters as mail does."""
    code = to_base64(text)
    return "\n".join(code[i : i + 64] for i in range(0, len(code), 64))


def to_base32(text: str) -> str:
    """RFC 4648 base32."""
    return base64.b32encode(_bytes(text)).decode()


def to_base85(text: str) -> str:
    """Python's base85 alphabet."""
    return base64.b85encode(_bytes(text)).decode()


def to_hex(text: str) -> str:
    """Two digits a byte, unbroken."""
    return _bytes(text).hex()


def to_hex_spaced(text: str) -> str:
    """Two digits a byte, blanks between."""
    return _bytes(text).hex(" ")


def to_hex_escapes(text: str) -> str:
    r"""Bytes as \xNN."""
    return "".join(f"\\x{byte:02x}" for byte in _bytes(text))


def to_binary(text: str) -> str:
    """Eight digits a byte, blanks between."""
    return " ".join(f"{byte:08b}" for byte in _bytes(text))


def to_octal(text: str) -> str:
    """Three octal digits a byte, blanks between."""
    return " ".join(f"{byte:03o}" for byte in _bytes(text))


def to_ascii_codes(text: str) -> str:
    """Decimal code points, blanks between."""
    return " ".join(str(ord(char)) for char in text)


def to_ascii_list(text: str) -> str:
    """Decimal code points as a Python list."""
    return str([ord(char) for char in text])


def to_letter_numbers(text: str) -> str:
    """a=1 ... z=26, hyphens within a word, blanks between words."""
    words = []
    for word in text.lower().split():
        words.append("-".join(str(ord(c) - 96) if "a" <= c <= "z" else c for c in word))
    return " ".join(words)


def to_morse(text: str) -> str:
    """International Morse; other characters are dropped, words parted by a slash."""
    words = []
    for word in text.lower().split():
        codes = [_MORSE[char] for char in word if char in _MORSE]
        if codes:
            words.append(" ".join(codes))
    return " / ".join(words)


def to_url(text: str) -> str:
    """Percent encoding of everything but letters and digits."""
    return quote(_bytes(text), safe="")


def to_url_full(text: str) -> str:
    """Percent encoding of every byte."""
    return "".join(f"%{byte:02X}" for byte in _bytes(text))


def to_html_entities(text: str) -> str:
    """Decimal character references."""
    return "".join(f"&#{ord(char)};" for char in text)


def to_html_hex_entities(text: str) -> str:
    """Hexadecimal references for letters; the rest escaped the usual way."""
    return "".join(f"&#x{ord(c):x};" if c.isalpha() else html.escape(c) for c in text)


def to_unicode_escapes(text: str) -> str:
    r"""UTF-16 units as \uNNNN."""
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def to_nato(text: str) -> str:
    """The spelling alphabet; other characters stay, words parted by a slash."""
    return " / ".join(
        " ".join(_NATO.get(char, char) for char in word) for word in text.lower().split()
    )


_NATO = {
    word[0].lower(): word
    for word in (
        "Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel India Juliett Kilo Lima Mike November "
        "Oscar Papa Quebec Romeo Sierra Tango Uniform Victor Whiskey Xray Yankee Zulu"
    ).split()
}

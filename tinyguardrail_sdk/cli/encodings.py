"""Which encoding an input is in: the one that was named, that of its byte order mark, or UTF-8."""

from __future__ import annotations

import codecs

from tinyguardrail_sdk.errors import InputError

DEFAULT = "utf-8-sig"
BLOCK = 8192  # bytes of an input that are looked at

# That of UTF-32 first: little-endian, it begins like that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def refuse_unknown(named: str | None) -> None:
    """Refuse the name of an encoding that does not exist, or is not one of text.

    Raises:
        InputError: It is such a name.
    """
    try:
        "\n".encode(named or DEFAULT)
    except LookupError:
        raise InputError(
            f"--encoding: no text encoding is called {named}; there are utf-8, utf-16, latin-1, "
            "cp1252 and all others that Python knows"
        ) from None


def encoding_of(block: bytes, named: str | None, name: str) -> str:
    """Return the encoding to read an input in.

    Args:
        block: What the input begins with, up to `BLOCK` bytes.
        named: The encoding on the command line, a known one, if there was one.
        name: What errors call the input.

    Raises:
        InputError: It looks binary and no encoding was named, or the one that was named reads
            something else than text from an input with this byte order mark.
    """
    marked = next((_MARKS[mark] for mark in _MARKS if block.startswith(mark)), None)
    if named is None:
        if marked is None and b"\0" in block[:BLOCK]:
            raise InputError(
                f"{name}: holds NUL bytes and looks binary, nothing was checked; extract its text, "
                "or say --encoding if it is text, such as --encoding utf-16-le or utf-8"
            )
        return marked or DEFAULT
    if marked is not None and not is_wide(named):
        raise InputError(
            f"{name}: begins with the byte order mark of {marked}, so it is not {named}; "
            "leave --encoding out"
        )
    return named


def is_wide(encoding: str) -> bool:
    """Whether a line feed takes more, or another, than its ASCII byte."""
    return "\n".encode(encoding.removesuffix("-sig")) != b"\n"


def not_valid(encoding: str) -> str:
    """Say of bytes that they are not in that encoding, and what to do."""
    if is_wide(encoding):
        return f"not valid {encoding}; the file is damaged, or --encoding must say another"
    return f"not valid {encoding.removesuffix('-sig')}; say --encoding, such as --encoding latin-1"

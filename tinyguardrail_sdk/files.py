"""The text of a file that stands in a request itself, where the file is plain text.

What it is, its media type says, and without one the extension of its name. A file is an error where
a model may be shown other words than stand in its bytes: of PDF, RTF, pictures, other character
sets than UTF-8, and of what is only named by an address or an identifier.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.errors import InputError

# Of a file. A check of a longer text takes minutes; it is for the application to cut it.
MAX_BYTES = 1 << 20

_TEXT_TYPES = {
    f"application/{name}"
    for name in (
        *("json", "jsonl", "x-ndjson", "xml", "yaml", "x-yaml", "toml", "csv", "markdown", "sql"),
        *("javascript", "x-javascript", "typescript", "x-typescript", "x-python", "x-sh", "x-php"),
    )
}
_FORMATTED = {"text/rtf", "text/richtext", "text/enriched"}  # what they show are not the bytes
_CHARSETS = {"utf-8", "utf8", "us-ascii", "ascii"}
_UNTOLD = {"", "application/octet-stream", "binary/octet-stream"}
_EXTENSIONS = {
    *("txt", "text", "md", "markdown", "rst", "tex", "log", "srt", "vtt", "html", "htm", "css"),
    *("csv", "tsv", "json", "jsonl", "ndjson", "xml", "yaml", "yml", "toml", "ini", "cfg", "conf"),
    *("py", "pyi", "js", "mjs", "cjs", "jsx", "ts", "tsx", "java", "kt", "scala", "c", "h", "cc"),
    *("cpp", "hpp", "cs", "go", "rs", "rb", "php", "pl", "lua", "r", "swift", "sql", "sh", "bash"),
    *("ps1", "bat", "diff", "patch"),
}
# In a file part of any client: its data, what it is said to be, what it is called, where it is.
_DATA = ("file_data", "base64", "data", "bytes", "document_url")
_TYPES = ("media_type", "mime_type", "mimeType", "format")
_NAMES = ("filename", "document_name", "name", "display_name", "displayName")
_HEADINGS = ("title", "context")
_ADDRESSES = ("file_id", "file_url", "url", "source_url", "uri")
_INSIDE = ("file", "extras", "metadata")
# Likewise in a part of a picture, a sound or a film.
_MEDIA_INSIDE = ("image_url", "source", "input_audio")
_MEDIA_DATA = ("image_url", "url", *_DATA)


def file_text(data: object, media_types: object = None, name: object = None) -> str:
    """Return the text of a file.

    Args:
        data: Its bytes, or a string: base64, or a data URL with base64 in it.
        media_types: What it is said to be, or several that all must say that it is text.
        name: Its name, whose extension counts where no media type is told.

    Raises:
        InputError: It is not plain text in UTF-8, is not all here, or is too long.
    """
    told = list(media_types) if isinstance(media_types, list | tuple) else [media_types]
    if isinstance(data, str) and data.startswith("data:"):
        head, _, data = data.removeprefix("data:").partition(",")
        kind, _, encoding = head.rpartition(";")
        told.append(kind)
        data = data if encoding.strip().lower() == "base64" else None
    expect_text(told, name)
    text = _decoded(data)
    if "\0" in text or "%PDF-" in text[:1024] or text.startswith("{\\rtf"):
        raise _unread()
    return text


def expect_text(media_types: Iterable[object], name: object, size: int = 0) -> None:
    """Refuse a file by what is known of it before it is read.

    Args:
        media_types: What it is said to be; all must say that it is text.
        name: Its name, whose extension counts where no media type is told.
        size: How many bytes it has, as far as that is known.

    Raises:
        InputError: It is said to be no plain text, or is too long.
    """
    types = [str(kind) for kind in media_types if kind is not None]
    types = [kind for kind in types if kind.lower() not in _UNTOLD]
    if not (all(map(_is_text_type, types)) if types else _is_text_name(name)):
        raise _unread()
    if size > MAX_BYTES:
        raise _too_long()


def file_texts(part: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names and the text of a file part, in the words of any client.

    Raises:
        InputError: As `file_text`, or the file is somewhere else.
    """
    places = [part, *(part[key] for key in _INSIDE if isinstance(part.get(key), Mapping))]
    if _found(places, _ADDRESSES):
        raise _unread()
    names, headings = _found(places, _NAMES), _found(places, _HEADINGS)
    texts, data = _found(places, ("text",)), _found(places, _DATA)
    told = (*names, *headings, *texts)
    if not (texts or data) or not all(isinstance(each, str) for each in told):
        raise _unread()
    yield from told
    for each in data:
        yield file_text(each, _found(places, _TYPES), names[0] if names else None)


def media_texts(part: Mapping[str, Any]) -> Iterator[str]:
    """Yield the text of what is sent as a picture, sound or film, but says that it is another file.

    Vendors refuse that; gateways such as LiteLLM hand it on as the file that it is.

    Raises:
        InputError: As `file_text`, or the file is somewhere else.
    """
    places = [part, *(part[key] for key in _MEDIA_INSIDE if isinstance(part.get(key), Mapping))]
    # The format of a sound is no media type.
    told = [kind for kind in _found(places, _TYPES) if "/" in str(kind)]
    strings = [each for each in _found(places, _MEDIA_DATA) if isinstance(each, str)]
    urls = [each for each in strings if each[:5].lower() == "data:"]
    if all(map(_is_media_type, (*told, *(url[5:] for url in urls)))):
        return
    if not (data := urls or _found(places, _DATA)):
        raise _unread()
    for each in data:
        yield file_text(each, told)


def is_media(blob: Mapping[str, Any]) -> bool:
    """Whether this is said to be a picture, a sound or a film, in which are no words."""
    kinds = _found([blob], _TYPES)
    return bool(kinds) and all(map(_is_media_type, kinds))


def _is_media_type(kind: object) -> bool:
    return str(kind).lower().startswith(("image/", "audio/", "video/"))


def _found(places: list[Any], keys: tuple[str, ...]) -> list[Any]:
    return [place[key] for place in places for key in keys if place.get(key) is not None]


def _is_text_type(media_type: str) -> bool:
    kind, *parameters = (each.strip() for each in media_type.lower().split(";"))
    charsets = [each.partition("=")[2].strip('" ') for each in parameters if "charset" in each]
    if not set(charsets) <= _CHARSETS or kind in _FORMATTED:
        return False
    described = kind.startswith("application/") and kind.endswith(("+json", "+xml", "+yaml"))
    return kind.startswith("text/") or kind in _TEXT_TYPES or described


def _is_text_name(name: object) -> bool:
    return isinstance(name, str) and name.lower().rpartition(".")[2] in _EXTENSIONS


def _decoded(data: object) -> str:
    if not isinstance(data, str | bytes | bytearray):
        raise _unread()
    if len(data) > (MAX_BYTES * 4 // 3 + 4 if isinstance(data, str) else MAX_BYTES):
        raise _too_long()
    try:
        if isinstance(data, str):  # some write base64 for addresses
            data = base64.b64decode(data.replace("-", "+").replace("_", "/"), validate=True)
        return data.decode("utf-8-sig")
    except ValueError:
        raise _unread() from None


def _too_long() -> InputError:
    return InputError(
        f"a file of more than {MAX_BYTES} bytes is not read; send it in parts, as text"
    )


def _unread() -> InputError:
    return InputError(
        "a file or document that is not text in UTF-8, or is not in the request itself, cannot be "
        "read; check its text by itself, and send that"
    )

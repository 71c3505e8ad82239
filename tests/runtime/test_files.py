import base64
from typing import Any

import pytest

from tinyguardrail_sdk import InputError
from tinyguardrail_sdk.content import is_part
from tinyguardrail_sdk.files import MAX_BYTES, expect_text, file_text, file_texts
from tinyguardrail_sdk.messages import message_texts

TEXT = "Öffnungszeiten: 9 to 5."
CODED = base64.b64encode(TEXT.encode()).decode()
URL = f"data:text/plain;base64,{CODED}"


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("data", [CODED, TEXT.encode(), bytearray(TEXT.encode())])
def test_text_is_read_as_base64_or_bytes(data: Any) -> None:
    assert file_text(data, "text/plain") == TEXT


def test_base64_for_addresses_and_a_byte_order_mark_are_read() -> None:
    text = "\ufeff>>>???"
    assert file_text(base64.urlsafe_b64encode(text.encode()).decode(), "text/plain") == ">>>???"


@pytest.mark.parametrize(
    "kind",
    [
        *("text/plain", "TEXT/Markdown", "text/csv; charset=UTF-8", 'text/html;charset="utf-8"'),
        *("application/json", "application/ld+json", "application/atom+xml", "text/x-python"),
    ],
)
def test_media_types_of_text(kind: str) -> None:
    assert file_text(CODED, kind) == TEXT
    assert file_text(f"data:{kind};base64,{CODED}") == TEXT


@pytest.mark.parametrize("name", ["a.txt", "README.MD", "table.csv", "page.pdf.json", "main.py"])
@pytest.mark.parametrize("kind", [None, "", "application/octet-stream"])
def test_the_extension_counts_where_no_type_is_told(name: str, kind: str | None) -> None:
    assert file_text(CODED, kind, name) == TEXT
    assert file_text(f"data:{kind or ''};base64,{CODED}", None, name) == TEXT


@pytest.mark.parametrize(
    ("data", "kind", "name"),
    [
        (CODED, None, None),
        (CODED, None, "notes"),
        (CODED, None, "report.pdf"),
        (CODED, None, "report.docx"),
        (CODED, "application/pdf", "notes.txt"),
        (CODED, "image/svg+xml", None),
        (CODED, "text/rtf", None),
        (CODED, "text/plain;charset=utf-7", None),
        (CODED, "text/plain; charset=iso-8859-1", None),
        (CODED, ["text/plain", "application/pdf"], None),
        (f"data:application/pdf;base64,{CODED}", "text/plain", "notes.txt"),
        ("data:text/plain,hello", None, None),
        ("data:text/plain", None, None),
        ("https://example.com/a.txt", "text/plain", None),
        ("not base64!", "text/plain", None),
        (f"{CODED}=AAAA", "text/plain", None),
        (CODED[:-1], "text/plain", None),
        ("ÖÖÖÖ", "text/plain", None),
        (coded("Öffnung".encode("latin-1")), "text/plain", None),
        (coded("opens".encode("utf-16-le")), "text/plain", None),
        (coded(b"%PDF-1.4 (opens)"), "text/plain", None),
        (coded(b"{\\rtf1 opens}"), "text/plain", None),
        (None, "text/plain", None),
        (7, "text/plain", None),
        ({"data": CODED}, "text/plain", None),
    ],
)
def test_what_is_no_plain_text_is_an_error(data: Any, kind: Any, name: Any) -> None:
    with pytest.raises(InputError, match="check its text by itself") as caught:
        file_text(data, kind, name)
    assert "opens" not in str(caught.value)


@pytest.mark.parametrize("encode", [bytes, coded])
def test_a_file_that_is_too_long_is_an_error(encode: Any) -> None:
    assert len(file_text(encode(b"a" * MAX_BYTES), "text/plain")) == MAX_BYTES
    with pytest.raises(InputError, match="in parts"):
        file_text(encode(b"a" * (MAX_BYTES + 9)), "text/plain")


SHAPES: list[dict[str, Any]] = [
    {"type": "input_file", "filename": "a.md", "file_data": URL},
    {"type": "input_file", "filename": "a.md", "file_data": CODED, "file_id": None},
    {"type": "file", "file": {"filename": "a.md", "file_data": URL}},
    {"type": "file", "file": {"filename": "a.md", "file_data": CODED, "format": "text/plain"}},
    {"type": "file", "base64": CODED, "mime_type": "text/markdown", "extras": {"filename": "a.md"}},
    {"type": "file", "source_type": "base64", "data": CODED, "metadata": {"filename": "a.md"}},
    {"type": "file", "source_type": "text", "text": TEXT, "filename": "a.md"},
    {"type": "text-plain", "base64": CODED, "mime_type": "text/plain", "title": "a.md"},
    {"type": "text-plain", "text": TEXT, "title": "a.md"},
    {"type": "document_url", "document_url": URL, "document_name": "a.md"},
    {
        "type": "document",
        "title": "a.md",
        "source": {"type": "base64", "media_type": "text/plain", "data": CODED},
    },
    {"type": "resource", "uri": "a.md", "content": {"type": "text", "text": TEXT}},
    {"document": {"name": "a.md", "format": "md", "source": {"bytes": TEXT.encode()}}},
    {"document": {"name": "a.md", "format": "md", "source": {"bytes": CODED}}},
    {"inlineData": {"mimeType": "text/plain", "data": CODED, "displayName": "a.md"}},
    {"inline_data": {"mime_type": "text/plain", "data": TEXT.encode(), "display_name": "a.md"}},
]


@pytest.mark.parametrize("part", SHAPES, ids=lambda part: next(iter(part.values())))
def test_files_of_every_client_are_documents(part: dict[str, Any]) -> None:
    for content in ([part], [{"type": "tool_result", "content": [part]}]):
        (found,) = message_texts([{"role": "user", "content": content}])
        assert (str(found.source), found.text) == ("document", f"a.md\n{TEXT}")


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_file"},
        {"type": "input_file", "filename": "a.txt"},
        {"type": "input_file", "file_id": "f"},
        {"type": "input_file", "file_url": "https://example.com/a.txt"},
        {"type": "input_file", "file_id": "f", "filename": "a.txt", "file_data": URL},
        {"type": "input_file", "filename": 7, "file_data": URL},
        {"type": "file"},
        {"type": "file", "file": None},
        {"type": "file", "file": {"file_id": "f"}},
        {"type": "file", "file": {"file_data": URL}, "file_data": "data:application/pdf;base64,"},
        {"type": "file", "file_id": "f"},
        {"type": "file", "base64": CODED},
        {"type": "file", "url": "https://example.com/a.txt", "mime_type": "text/plain"},
        {"type": "text-plain"},
        {"type": "text-plain", "text": 7},
        {"type": "text-plain", "url": "https://example.com/a.txt", "mime_type": "text/plain"},
        {"type": "document_url", "document_url": "https://example.com/a.txt"},
        {"type": "resource_link", "uri": "https://example.com/a.txt"},
        {"type": "resource_link", "uri": "https://example.com/a.txt", "metadata": {"text": TEXT}},
        {"type": "resource", "uri": "a.md"},
        {"type": "resource", "content": {"type": "text", "text": TEXT}},
        {"type": "resource", "uri": "a.md", "content": {"type": "resource_link", "uri": "b.md"}},
        {"type": "document", "source": {"type": "file", "file_id": "f"}},
        {"type": "document", "source": {"type": "base64", "data": CODED}},
        {"document": {"name": "d", "format": "pdf", "source": {"bytes": TEXT.encode()}}},
        {"document": {"name": "d", "format": "md", "source": {}}},
        {"inline_data": {"mime_type": "text/plain"}},
        {"inline_data": {"data": TEXT.encode()}},
        {"file_data": {"mime_type": "text/plain", "file_uri": "gs://b/a.txt"}},
    ],
)
def test_a_file_that_is_not_there_as_text_is_an_error(part: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="message 0: "):
        message_texts([{"role": "user", "content": [part]}])


def test_the_error_of_a_resource_of_mcp_says_what_to_do() -> None:
    part = {"type": "resource", "resource": {"uri": "a.md", "text": TEXT}}
    with pytest.raises(InputError, match=r"unknown type.*'uri' and 'content'.*check its text by"):
        message_texts([{"role": "user", "content": [part]}])
    assert not is_part(part)


def test_a_file_is_refused_by_its_kind_and_its_size() -> None:
    expect_text(["text/plain"], None, MAX_BYTES)
    expect_text([None, "application/octet-stream"], "a.md")
    with pytest.raises(InputError, match="not text"):
        expect_text(["text/plain", "application/pdf"], "a.md")
    with pytest.raises(InputError, match="in parts"):
        expect_text(["text/plain"], None, MAX_BYTES + 1)


def test_each_data_of_a_part_is_read() -> None:
    other = base64.b64encode(b"other").decode()
    part = {"base64": CODED, "mime_type": "text/plain", "file": {"file_data": other}}
    assert list(file_texts(part)) == [TEXT, "other"]


PICTURES: list[dict[str, Any]] = [
    {"type": "image_url", "image_url": {"url": URL}},
    {"type": "image_url", "image_url": URL},
    {"type": "image_url", "image_url": {"url": URL, "format": "text/plain", "detail": "auto"}},
    {"type": "input_image", "image_url": URL},
    {"type": "image", "url": URL},
    {"type": "image", "base64": CODED, "mime_type": "text/plain"},
    {"type": "audio", "source_type": "base64", "data": CODED, "mime_type": "text/plain"},
    {"type": "image", "source": {"type": "base64", "media_type": "text/plain", "data": CODED}},
]


@pytest.mark.parametrize("part", PICTURES, ids=lambda part: "-".join(part))
def test_a_text_that_is_sent_as_a_picture_is_a_document(part: dict[str, Any]) -> None:
    (found,) = message_texts([{"role": "user", "content": [part]}])
    assert (str(found.source), found.text) == ("document", TEXT)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "data:application/pdf;base64,JVBERi0="}},
        {"type": "image_url", "image_url": {"url": "data:;base64,JVBERi0="}},
        {"type": "image_url", "image_url": {"url": "DATA:text/plain;base64,JVBERi0="}},
        {"type": "image_url", "image_url": {"url": "https://a.b/c", "format": "application/pdf"}},
        {"type": "image", "file_id": "f", "mime_type": "text/plain"},
    ],
)
def test_another_file_that_is_sent_as_a_picture_is_an_error(part: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="check its text by itself"):
        message_texts([{"role": "user", "content": [part]}])


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "input_image", "image_url": None, "file_id": "f", "detail": "auto"},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
        {"type": "video", "base64": "AAAA", "mime_type": "video/mp4"},
    ],
)
def test_pictures_and_sound_are_not_judged(part: dict[str, Any]) -> None:
    assert message_texts([{"role": "user", "content": [part]}]) == []


@pytest.mark.parametrize("kind", ["image/png", "audio/wav", "video/mp4"])
def test_media_have_no_text(kind: str) -> None:
    part = {"inline_data": {"mime_type": kind, "data": b"?"}}
    assert message_texts([{"role": "user", "parts": [part]}]) == []


def test_a_file_by_itself_is_a_part() -> None:
    typed = [part for part in SHAPES if "type" in part]
    assert len(typed) > 9
    assert all(map(is_part, typed))


def test_a_thing_that_is_called_a_file_is_no_part() -> None:
    assert not is_part({"type": "file", "path": "notes.txt"})

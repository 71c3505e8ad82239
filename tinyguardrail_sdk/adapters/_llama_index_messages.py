"""Where the text is in messages, answers and streams of LlamaIndex."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from tinyguardrail_sdk.content import as_mapping, value_text
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.files import file_text
from tinyguardrail_sdk.labels import Source

_ROLES: dict[str, Source | None] = {
    "system": None,
    "developer": None,
    "user": Source.USER,
    "assistant": Source.OUTPUT,
    "chatbot": Source.OUTPUT,
    "model": Source.OUTPUT,
    "tool": Source.TOOL,
    "function": Source.TOOL,
}
_NO_TEXT = ("image", "audio", "video", "cache")

Texts = Iterator[tuple[Source, str]]


class LLMReader:
    """Reads what an LLM is given and what it answers; one for each call.

    Of a stream most answers hold what was said so far, some only what is new; both name what is new
    in their `delta`. Where that is missing, what was read before is what it is told from.
    """

    def __init__(self) -> None:
        self._read: dict[Hashable, str] = {}

    def request(self, given: Any) -> Iterable[Any]:
        if isinstance(given, str):
            return [(Source.USER, given)]
        return [text for message in given for text in _message_texts(message)]

    def response(self, response: Any) -> Iterable[Any]:
        return [(Source.OUTPUT, text) for _, text in _said(response)]

    def chunk(self, chunk: Any) -> Iterator[tuple[Hashable, str]]:
        for key, text in _said(chunk):
            before, delta = self._read.get(key, ""), chunk.delta or ""
            is_new_only = delta == text and text != before + delta
            new = text if is_new_only else text.removeprefix(before)
            self._read[key] = before + new if is_new_only else text
            yield key, new


class EngineReader:
    """Reads what a query or chat engine is asked and answers; a stream is no answer yet."""

    def request(self, values: Iterable[Any]) -> Iterable[Any]:
        for each in values:
            if isinstance(each, list):  # the history of a chat
                yield from (text for message in each for text in _message_texts(message))
            elif each is not None:
                yield Source.USER, each if isinstance(each, str) else each.query_str

    def response(self, response: Any) -> Iterable[Any]:
        said = getattr(response, "response", None)
        if said is not None:
            yield Source.OUTPUT, value_text(as_mapping(said) or said)

    def chunk(self, chunk: Any) -> Iterable[tuple[Hashable, str]]:
        raise NotImplementedError("streams of engines are held back as text")


def _said(response: Any) -> Iterator[tuple[Hashable, str]]:
    message = getattr(response, "message", None)
    if message is None:
        yield "text", response.text or response.delta or ""
        yield from enumerate(_calls(response))
        return
    texts = [text for _, text in _message_texts(message)]
    if not any(texts) and response.delta:
        texts = [response.delta]
    yield from enumerate(texts)


def _message_texts(message: Any) -> Texts:
    source = _ROLES[message.role.value]
    if source is None:
        return
    for block in message.blocks:
        yield from _block_texts(block, source)
    if source is Source.OUTPUT:
        yield from ((source, arguments) for arguments in _calls(message))


def _block_texts(block: Any, source: Source) -> Texts:
    kind = block.block_type
    if kind == "text":
        yield source, block.text
    elif kind == "thinking":
        yield source, block.content or ""
    elif kind == "tool_call":
        yield source, value_text(block.tool_kwargs)
    elif kind == "document" and not block.url:  # there it may say another thing the next time
        yield Source.DOCUMENT, block.title or ""
        data, name = block.resolve_document().read(), str(block.path or block.title)
        yield Source.DOCUMENT, file_text(data, block.document_mimetype, name)
    elif kind == "citable":
        yield Source.DOCUMENT, block.title
        for each in block.content:
            yield from _block_texts(each, Source.DOCUMENT)
    elif kind == "citation":
        yield Source.DOCUMENT, block.title
        yield from _block_texts(block.cited_content, Source.DOCUMENT)
    elif kind not in _NO_TEXT:
        raise InputError("a document that is not text cannot be read; check its text by itself")


def _calls(said: Any) -> Iterator[str]:
    """Yield the arguments of the tool calls beside a text."""
    for call in said.additional_kwargs.get("tool_calls") or ():
        fields = as_mapping(call) or {}
        function = as_mapping(fields.get("function")) or fields
        yield value_text(function.get("arguments", fields) if fields else str(call))

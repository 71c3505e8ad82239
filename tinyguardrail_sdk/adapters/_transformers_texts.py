"""What stands in the inputs and the results of pipelines of transformers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Source

# Arguments that hold what the model is to work on, with whose words they are.
GIVEN = {
    "inputs": Source.USER,
    "text_inputs": Source.USER,
    "text": Source.USER,
    "question": Source.USER,
    "query": Source.USER,
    "sequences": Source.USER,
    "context": Source.DOCUMENT,
    "word_boxes": Source.DOCUMENT,
    "table": Source.DOCUMENT,
}
# Of results: names of classes, and what is the input again.
_NO_WORDS = {"label", "labels", "entity", "entity_group", "word", "token_str", "sequence"}
_MEDIA = ("PIL", "numpy", "torch")


def is_lazy(inputs: Any) -> bool:
    """Whether the pipeline would take inputs from this one by one: a generator or a data set."""
    plain = isinstance(inputs, str | bytes | list | tuple | Mapping)
    is_set = hasattr(inputs, "__getitem__") and hasattr(inputs, "__len__")
    return not plain and not _is_media(inputs) and (isinstance(inputs, Iterator) or is_set)


def given(value: Any, source: Source) -> Iterator[Any]:
    """What is in an input, as `Guard.check_messages` takes it."""
    if isinstance(value, str):
        yield source, value
    elif isinstance(value, Mapping) and "role" in value:
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from given(each, GIVEN.get(key, source))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from given(each, source)
    elif hasattr(value, "messages"):  # a chat
        yield from value.messages
    elif hasattr(value, "to_dict"):  # a table
        yield from given(value.to_dict(orient="list"), source)
    elif not _is_media(value):
        raise InputError(f"{type(value).__name__} cannot be read; pass texts, chats or lists")


def said(result: Any, asked: list[Any]) -> Iterator[Any]:
    """What the model wrote, without the prompt in front of it and the chat that it goes on with."""
    if isinstance(result, str):
        prompts = [each[1] for each in asked if isinstance(each, tuple)]
        known = max((each for each in prompts if result.startswith(each)), key=len, default="")
        yield Source.OUTPUT, result[len(known) :]
    elif isinstance(result, Mapping) and "role" in result:
        if result not in asked:
            yield result
    elif isinstance(result, Mapping):
        if "generated_token_ids" in result:
            raise InputError("tokens cannot be read; call the pipeline without return_tensors")
        for key, each in result.items():
            if key not in _NO_WORDS:
                yield from said(each, asked)
    elif isinstance(result, list | tuple):
        for each in result:
            yield from said(each, asked)
    elif not _is_media(result):
        raise InputError(f"{type(result).__name__} is a result that cannot be read")


def _is_media(value: Any) -> bool:
    plain = value is None or isinstance(value, bytes | bool | int | float)
    return plain or type(value).__module__.partition(".")[0] in _MEDIA

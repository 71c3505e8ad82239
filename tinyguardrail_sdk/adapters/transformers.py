"""Pipelines of transformers.

pip install "tinyguardrail-sdk[transformers]"

    generate = guard_pipeline(pipeline("text-generation", model), guard)

Prompts and chats are judged before the model runs, each of a batch by itself, and what it wrote
before it is returned; of a generator or a data set, one after the other as they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tinyguardrail_sdk.adapters._frameworks import (
    Method,
    judge_of,
    judging_copy,
    refuse,
    require,
)
from tinyguardrail_sdk.checker import Checker
from tinyguardrail_sdk.errors import GuardrailError, InputError
from tinyguardrail_sdk.labels import Source

# Arguments that hold what the model is to work on, with whose words they are.
_GIVEN = {
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


def guard_pipeline(pipeline: Any, guard: Checker) -> Any:
    """Return a guarded copy of a pipeline.

    Args:
        pipeline: What `transformers.pipeline` returned.
        guard: Who judges.

    Raises:
        ImportError: transformers is not installed.
        InputError: It is no pipeline.
        GuardrailError: Another guard is on it already.
    """
    if not isinstance(pipeline, require("transformers", "transformers").Pipeline):
        raise InputError(f"{type(pipeline).__name__} is no pipeline of transformers")
    return judging_copy(pipeline, guard, None, _JUDGING)


def _call(original: Method) -> Method:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard, _ = judge_of(self)
        _refuse_streamers(self, kwargs)
        is_lazy = bool(args) and _is_lazy(args[0])
        given = [_messages(each, Source.USER) for each in args[is_lazy:]]
        given += [_messages(kwargs[name], own) for name, own in _GIVEN.items() if name in kwargs]
        messages = [message for each in given for message in each]
        refuse(guard, messages)
        if is_lazy:
            drawn = (_judged(guard, each) for each in args[0])
            return _released(guard, original(self, drawn, *args[1:], **kwargs))
        result = original(self, *args, **kwargs)
        refuse(guard, _said(result, messages))
        return result

    return call


_JUDGING = (("__call__", _call),)


def _refuse_streamers(pipeline: Any, options: Mapping[str, Any]) -> None:
    """Refuse those of a call and those that the pipeline was made with."""
    for each in (options, getattr(pipeline, "_forward_params", {})):
        inner = each.get("generate_kwargs") or {}
        if each.get("streamer") is not None or inner.get("streamer") is not None:
            raise GuardrailError(
                "a streamer gets the tokens before they are judged; give one to an unguarded "
                "pipeline, and read it through guard.stream().wrap(TextIteratorStreamer(...))"
            )


def _is_lazy(inputs: Any) -> bool:
    """Whether the pipeline would take inputs from this one by one: a generator or a data set."""
    plain = isinstance(inputs, str | bytes | list | tuple | Mapping)
    is_set = hasattr(inputs, "__getitem__") and hasattr(inputs, "__len__")
    return not plain and not _is_media(inputs) and (isinstance(inputs, Iterator) or is_set)


def _judged(guard: Checker, item: Any) -> Any:
    refuse(guard, _messages(item, Source.USER))
    return item


def _released(guard: Checker, results: Iterable[Any]) -> Iterator[Any]:
    for result in results:
        refuse(guard, _said(result, []))
        yield result


def _messages(value: Any, source: Source) -> Iterator[Any]:
    """What is in an input, as `Guard.check_messages` takes it."""
    if isinstance(value, str):
        yield source, value
    elif isinstance(value, Mapping) and "role" in value:
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _messages(each, _GIVEN.get(key, source))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _messages(each, source)
    elif hasattr(value, "messages"):  # a chat
        yield from value.messages
    elif hasattr(value, "to_dict"):  # a table
        yield from _messages(value.to_dict(orient="list"), source)
    elif not _is_media(value):
        raise InputError(f"{type(value).__name__} cannot be read; pass texts, chats or lists")


def _said(result: Any, given: list[Any]) -> Iterator[Any]:
    """What the model wrote, without the prompt in front of it and the chat that it goes on with."""
    if isinstance(result, str):
        prompts = [each[1] for each in given if isinstance(each, tuple)]
        known = max((each for each in prompts if result.startswith(each)), key=len, default="")
        yield Source.OUTPUT, result[len(known) :]
    elif isinstance(result, Mapping) and "role" in result:
        if result not in given:
            yield result
    elif isinstance(result, Mapping):
        if "generated_token_ids" in result:
            raise InputError("tokens cannot be read; call the pipeline without return_tensors")
        for key, each in result.items():
            if key not in _NO_WORDS:
                yield from _said(each, given)
    elif isinstance(result, list | tuple):
        for each in result:
            yield from _said(each, given)
    elif not _is_media(result):
        raise InputError(f"{type(result).__name__} is a result that cannot be read")


def _is_media(value: Any) -> bool:
    plain = value is None or isinstance(value, bytes | bool | int | float)
    return plain or type(value).__module__.partition(".")[0] in _MEDIA

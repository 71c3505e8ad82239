"""An LLM that answers from a script, for the tests of LlamaIndex."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.frameworks.texts import ANSWER

WHY = "pip install 'tinyguardrail-sdk[llama-index]'"
llms: Any = pytest.importorskip("llama_index.core.llms", reason=WHY)
types: Any = pytest.importorskip("llama_index.core.base.llms.types", reason=WHY)
callbacks: Any = pytest.importorskip("llama_index.core.llms.callbacks", reason=WHY)

Message = llms.ChatMessage


class Scripted(llms.CustomLLM):  # type: ignore[misc]
    """Answers with one text, whole or in pieces that hold what was said so far, and counts."""

    said: str = ANSWER
    asked: list[Any] = []
    whole: bool = True

    @property
    def metadata(self) -> Any:
        return llms.LLMMetadata(is_chat_model=True)

    def _answer(self, asked: Any) -> str:
        self.asked.append(asked)
        if self.said == "broken":
            raise OSError("no connection")
        return self.said

    @callbacks.llm_completion_callback()  # type: ignore[untyped-decorator]
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        return types.CompletionResponse(text=self._answer(prompt))

    @callbacks.llm_completion_callback()  # type: ignore[untyped-decorator]
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        said = self._answer(prompt)

        def gen() -> Iterator[Any]:
            for at in range(0, len(said), 6):
                start = 0 if self.whole else at
                text = said[start : at + 6]
                yield types.CompletionResponse(text=text, delta=said[at : at + 6])

        return gen()


def scripted(said: str = ANSWER, **options: Any) -> Any:
    return Scripted(said=said, asked=[], **options)

"""What all adapters for frameworks stand on: copies that judge, and imports on demand."""

import copy
import pickle
import sys
from collections.abc import Callable
from typing import Any

import pydantic
import pytest

from tests.frameworks.texts import ANSWER, ATTACK, QUESTION
from tinyguardrail_sdk import Blocked, Guard, GuardrailError
from tinyguardrail_sdk.adapters import (
    asgi,
    crewai,
    haystack,
    langchain,
    llama_index,
    mcp,
    openai_agents,
    pydantic_ai,
    smolagents,
    transformers,
)
from tinyguardrail_sdk.adapters._frameworks import Method, judge_of, judging_copy, refuse
from tinyguardrail_sdk.testing import ScriptedClassifier


def _judged(original: Method) -> Method:
    def call(self: Any, text: str) -> Any:
        refuse(judge_of(self)[0], [text])
        return original(self, text)

    return call


JUDGING = (("ask", _judged), ("shout", _judged), ("around", None))


class Plain:
    """Has a method that calls another one, and a state."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.count = 0

    def ask(self, text: str) -> str:
        self.asked.append(text)
        self.count += 1
        return ANSWER

    def shout(self, text: str) -> str:
        return self.ask(f"{text}!").upper()

    def around(self, text: str) -> str:
        return self.ask(text)


class Slotted(Plain):
    __slots__ = ("extra",)


class Model(pydantic.BaseModel):
    asked: list[str] = []
    count: int = 0
    _private: int = pydantic.PrivateAttr(0)

    def ask(self, text: str) -> str:
        self.asked.append(text)
        self.count += 1
        self._private += 1
        return ANSWER

    def shout(self, text: str) -> str:
        return self.ask(f"{text}!").upper()

    def around(self, text: str) -> str:
        return self.ask(text)


@pytest.fixture(params=[Plain, Slotted, Model])
def given(request: pytest.FixtureRequest) -> Any:
    return request.param()


def test_a_copy_judges_and_the_original_does_not(guard: Guard, given: Any) -> None:
    made = judging_copy(given, guard, None, JUDGING)
    assert isinstance(made, type(given))
    assert type(made).__qualname__ == type(given).__qualname__
    assert made.ask(QUESTION) == ANSWER
    with pytest.raises(Blocked):
        made.ask(ATTACK)
    assert given.ask(ATTACK) == ANSWER
    assert made.around is None


def test_a_method_that_calls_another_is_judged_once(
    guard: Guard, classifier: ScriptedClassifier, given: Any
) -> None:
    assert judging_copy(given, guard, None, JUDGING).shout(QUESTION) == ANSWER.upper()
    assert [text for text, _ in classifier.calls] == [QUESTION]


def test_the_state_of_a_copy_is_its_own_and_is_kept(guard: Guard, given: Any) -> None:
    made = judging_copy(given, guard, None, JUDGING)
    made.count = 5
    made.ask(QUESTION)
    assert (made.count, given.count) == (6, 0)
    if isinstance(made, Model):
        assert made._private == 1


@pytest.mark.parametrize(
    "how", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))]
)
def test_copies_of_a_copy_judge(guard: Guard, given: Any, how: Callable[[Any], Any]) -> None:
    made = judging_copy(given, guard, None, JUDGING)
    made.count = 5
    again = how(made)
    with pytest.raises(Blocked):
        again.ask(ATTACK)
    assert again.shout(QUESTION) == ANSWER.upper()
    assert (again.count, made.count) == (6, 5)
    with pytest.raises(Blocked):
        made.ask(ATTACK)


def test_another_guard_is_refused(guard: Guard, given: Any) -> None:
    made = judging_copy(given, guard, None, JUDGING)
    assert judging_copy(made, guard, None, JUDGING) is made
    with pytest.raises(GuardrailError, match="another way"):
        judging_copy(made, Guard(classifier=ScriptedClassifier()), None, JUDGING)


USES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "asgi": ("fastapi", lambda guard: asgi.body_guard(guard, {})),
    "langchain": ("langchain.agents.middleware", langchain.middleware),
    "openai_agents": ("agents", openai_agents.input_guardrail),
    "mcp": ("mcp", lambda guard: mcp.wrap(object(), guard)),
    "pydantic_ai": ("pydantic_ai.models", lambda guard: pydantic_ai.guard_model("test", guard)),
    "llama_index": ("llama_index.core.llms", lambda guard: llama_index.guard_llm(None, guard)),
    "transformers": ("transformers", lambda guard: transformers.guard_pipeline(None, guard)),
    "smolagents": ("smolagents", lambda guard: smolagents.wrap(object(), guard)),
    "haystack": ("haystack", haystack.document_guard),
    "crewai": ("crewai", lambda guard: crewai.guard_llm(None, guard)),
}


@pytest.mark.parametrize("name", USES)
def test_without_the_framework_the_adapter_says_what_to_install(
    guard: Guard, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, use = USES[name]
    monkeypatch.setitem(sys.modules, module, None)
    extra = name.replace("_", "-")
    with pytest.raises(ImportError, match=rf"pip install 'tinyguardrail-sdk\[{extra}\]'"):
        use(guard)

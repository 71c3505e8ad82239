import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.frameworks.texts import ANSWER, ATTACK, PAGE, QUESTION
from tinyguardrail_sdk import Blocked, CheckFailed, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters import _crewai_messages
from tinyguardrail_sdk.adapters.crewai import guard_llm, guard_tool, task_guardrail
from tinyguardrail_sdk.files import MAX_BYTES
from tinyguardrail_sdk.testing import ScriptedClassifier

WHY = "pip install 'tinyguardrail-sdk[crewai]'"
crewai: Any = pytest.importorskip("crewai", reason=WHY)
tools: Any = pytest.importorskip("crewai.tools", reason=WHY)

# CrewAI, and what it leaves open, warn of themselves.
pytestmark = pytest.mark.filterwarnings("ignore")


class Scripted(crewai.BaseLLM):  # type: ignore[misc]
    """Answers from a list, and counts.

    Attributes:
        asked: The messages of every request.
    """

    asked: list[Any] = []
    answers: list[Any] = []

    def call(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        self.asked.append(messages if isinstance(messages, str) else [*messages])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if functions := kwargs.get("available_functions"):
            return functions["look"](**answer)
        return answer

    async def acall(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
        return self.call(messages, *args, **kwargs)


def scripted(*answers: Any, **options: Any) -> Any:
    return Scripted(model="scripted", answers=[*answers], **options)


def now(llm: Any, messages: Any, **more: Any) -> Any:
    return llm.call(messages, **more)


def later(llm: Any, messages: Any, **more: Any) -> Any:
    return asyncio.run(llm.acall(messages=messages, **more))


every_way = pytest.mark.parametrize("way", [now, later])
CALL = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
ASKED = [{"role": "system", "content": ATTACK}, {"role": "user", "content": QUESTION}]
ATTACKS: dict[str, Any] = {
    "text": ATTACK,
    "user": [{"role": "user", "content": ATTACK}],
    "tool": [{"role": "tool", "tool_call_id": "c", "content": PAGE}],
    "observation": [{"role": "assistant", "content": f"Observation: {PAGE}"}],
}
ANSWERS: dict[str, Any] = {
    "text": f"{ATTACK} and more",
    "openai": [{**CALL, "function": {"name": "look", "arguments": f'{{"city": "{ATTACK}"}}'}}],
    "objects": [SimpleNamespace(function=SimpleNamespace(name="look", arguments=ATTACK))],
    "anthropic": [{"type": "tool_use", "name": "look", "input": {"city": ATTACK}}],
    "gemini": [{"name": "look", "args": {"city": ATTACK}}],
    "bedrock": [{"toolUse": {"name": "look", "input": {"city": ATTACK}}}],
}


@every_way
@pytest.mark.parametrize("answer", [ANSWER, [CALL]], ids=["text", "call"])
def test_benign_calls_are_as_without_a_guard(guard: Guard, way: Any, answer: Any) -> None:
    plain, kept = scripted(answer), scripted(answer)
    assert way(guard_llm(kept, guard), ASKED) == way(plain, ASKED)
    assert kept.asked == plain.asked


@every_way
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_does_not_reach_the_model(guard: Guard, way: Any, attack: str) -> None:
    llm = scripted(ANSWER)
    with pytest.raises(Blocked):
        way(guard_llm(llm, guard), ATTACKS[attack])
    assert llm.asked == []


def around(task: str) -> str:
    """A task in a prompt of CrewAI's own, which ends in pressure."""
    prompts = json.loads((Path(crewai.__file__).parent / "translations/en.json").read_text("utf-8"))
    prompt: str = prompts["slices"]["task"].replace("{input}", task)
    assert "job depends on it" in prompt
    return prompt


@pytest.mark.parametrize("content", [str, lambda text: [{"type": "text", "text": text}]])
def test_what_crewai_writes_itself_is_not_judged(
    guard: Guard, classifier: ScriptedClassifier, content: Callable[[str], Any]
) -> None:
    llm = guard_llm(scripted(ANSWER, ANSWER), guard)
    assert llm.call([{"role": "user", "content": content(around(QUESTION))}]) == ANSWER
    assert llm.call(around(QUESTION)) == ANSWER
    texts = [text for text, _ in classifier.calls]
    assert sum(QUESTION in text for text in texts) >= 1
    assert not [text for text in texts if "job depends on it" in text]
    asked = str(llm.asked)
    assert asked.count("job depends on it") == 2


def test_where_its_prompts_are_not_found_all_is_judged(
    guard: Guard, classifier: ScriptedClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_crewai_messages, "_PROMPTS", "translations/none.json")
    _crewai_messages._scaffold.cache_clear()
    try:
        guard_llm(scripted(ANSWER), guard).call(around(QUESTION))
    finally:
        _crewai_messages._scaffold.cache_clear()
    assert "job depends on it" in classifier.calls[0][0]


@pytest.mark.parametrize("content", [str, lambda text: [{"type": "text", "text": text}]])
def test_an_attack_amid_what_crewai_writes_is_judged(
    guard: Guard, content: Callable[[str], Any]
) -> None:
    llm = scripted(ANSWER)
    with pytest.raises(Blocked):
        guard_llm(llm, guard).call([{"role": "user", "content": content(around(ATTACK))}])
    assert llm.asked == []


@every_way
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_attack_in_the_answer_is_not_released(guard: Guard, way: Any, answer: str) -> None:
    with pytest.raises(Blocked):
        way(guard_llm(scripted(ANSWERS[answer]), guard), ASKED)


def test_functions_that_the_llm_runs_are_guarded(guard: Guard) -> None:
    asked: list[str] = []

    def look(city: str) -> str:
        asked.append(city)
        return {"Paris": ANSWER}.get(city, PAGE)

    def ask(city: str) -> Any:
        llm = guard_llm(scripted({"city": city}), guard)
        return llm.call(ASKED, available_functions={"look": look})

    assert ask("Paris") == ANSWER
    with pytest.raises(Blocked):
        ask("Rome")
    with pytest.raises(Blocked):
        ask(ATTACK)
    assert asked == ["Paris", "Rome"]


@pytest.mark.parametrize(("asked", "error"), [("explode", CheckFailed), (QUESTION, OSError)])
def test_errors_pass_through(guard: Guard, asked: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        guard_llm(scripted(OSError("no connection")), guard).call(asked)


class RateLimitError(Exception):
    status_code = 429


def test_a_retried_call_is_checked_once(guard: Guard, classifier: ScriptedClassifier) -> None:
    llm = guard_llm(scripted(RateLimitError(), ANSWER), guard)
    try:
        assert llm.call(QUESTION) == ANSWER
    except RateLimitError:  # older versions do not try again
        assert len(llm.asked) == 1
    assert [text for text, _ in classifier.calls].count(QUESTION) == 1


def test_stop_words_of_a_call_reach_the_model(guard: Guard) -> None:
    base = pytest.importorskip("crewai.llms.base_llm")
    if not hasattr(base, "call_stop_override"):
        pytest.skip("this version sets them for good")
    seen: list[Any] = []

    class Stopping(Scripted):
        def call(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
            seen.extend(self.stop_sequences)
            return super().call(messages, *args, **kwargs)

    llm = guard_llm(Stopping(model="scripted", answers=[ANSWER]), guard)
    with base.call_stop_override(llm, ["Observation:"]):
        llm.call(QUESTION)
    assert seen == ["Observation:"]


def test_a_stream_is_refused(guard: Guard) -> None:
    llm = scripted(ANSWER, stream=True)
    with pytest.raises(GuardrailError, match="stream=False"):
        guard_llm(llm, guard).call(QUESTION)
    assert llm.asked == []


@pytest.fixture
def attached() -> Any:
    """The files of CrewAI, which it has in a package of their own."""
    return pytest.importorskip("crewai_files", reason="pip install crewai-files")


def in_memory(attached: Any, data: bytes, folder: Path) -> Any:
    return attached.FileBytes(data=data, filename="hours.md")


def on_disk(attached: Any, data: bytes, folder: Path) -> Any:
    (folder / "hours.md").write_bytes(data)
    return folder / "hours.md"


def as_stream(attached: Any, data: bytes, folder: Path) -> Any:
    return io.BytesIO(data)


Place = Callable[[Any, bytes, Path], Any]
every_place = pytest.mark.parametrize("place", [in_memory, on_disk, as_stream])
PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


def asking(file: Any) -> list[Any]:
    return [{**ASKED[1], "files": {"hours": file}}]


@every_way
@every_place
def test_a_benign_file_is_sent_as_without_a_guard(
    guard: Guard, attached: Any, way: Any, place: Place, tmp_path: Path
) -> None:
    for data in (b"Open from nine to five.", PICTURE):
        source = place(attached, data, tmp_path)
        llm, asked = scripted(ANSWER), asking(attached.File(source=source))
        assert way(guard_llm(llm, guard), asked) == ANSWER
        assert llm.asked == [asked]
        assert llm.asked[0][0]["files"]["hours"].read() == data


@every_way
@every_place
def test_an_attack_in_a_document_does_not_reach_the_model(
    guard: Guard, attached: Any, way: Any, place: Place, tmp_path: Path
) -> None:
    file = attached.TextFile(source=place(attached, PAGE.encode(), tmp_path))
    llm = scripted(ANSWER)
    with pytest.raises(Blocked):
        way(guard_llm(llm, guard), asking(file))
    assert llm.asked == []


def test_names_of_a_file_are_judged(guard: Guard, attached: Any) -> None:
    data = b"Open from nine to five."
    named = attached.File(source=attached.FileBytes(data=data, filename=f"{ATTACK}.md"))
    for files in ({"hours": named}, {ATTACK: attached.File(source=data)}):
        with pytest.raises(Blocked):
            guard_llm(scripted(ANSWER), guard).call([{**ASKED[1], "files": files}])


@pytest.mark.parametrize(
    "source",
    [b"%PDF-1.7\n", b"\0\1\2", "https://example.com/hours.md", "https://example.com/photo.png"],
)
def test_a_file_that_cannot_be_read_is_not_sent(guard: Guard, attached: Any, source: Any) -> None:
    llm = scripted(ANSWER)
    with pytest.raises(InputError, match="cannot be read"):
        guard_llm(llm, guard).call(asking(attached.File(source=source)))
    assert llm.asked == []


@pytest.mark.parametrize(
    ("name", "data"), [("hours.pdf", b"%PDF-1.7\n"), ("hours.md", b"9" * (MAX_BYTES + 1))]
)
def test_a_file_that_is_refused_by_what_it_is_said_to_be_stays_unread(
    guard: Guard, attached: Any, tmp_path: Path, name: str, data: bytes
) -> None:
    (tmp_path / name).write_bytes(data)
    file = attached.File(source=tmp_path / name)
    with pytest.raises(InputError, match="read"):
        guard_llm(scripted(ANSWER), guard).call(asking(file))
    assert file.source._content is None


class Look(tools.BaseTool):  # type: ignore[misc]
    name: str = "look"
    description: str = "Looks a town up."
    asked: list[str] = []

    def _run(self, city: str) -> str:
        self.asked.append(city)
        return {"Paris": "It is in France."}.get(city, PAGE)


def test_arguments_and_results_of_a_tool_are_judged(guard: Guard) -> None:
    tool = Look()
    guarded = guard_tool(tool, guard)
    for use in (guarded.run, guarded.to_structured_tool().func):
        assert use(city="Paris") == "It is in France."
        with pytest.raises(Blocked):
            use(city="Rome")
        with pytest.raises(Blocked):
            use(city=ATTACK)
    assert tool.asked == ["Paris", "Rome"] * 2
    assert tool.run(city="Rome") == PAGE


def crew_of(llm: Any, *tools: Any, **options: Any) -> Any:
    agent = crewai.Agent(
        role="Guide", goal="Answer.", backstory="You know towns.", llm=llm, tools=[*tools]
    )
    task = crewai.Task(
        description="{question}", expected_output="A sentence.", agent=agent, **options
    )
    return crewai.Crew(agents=[agent], tasks=[task])


def final(answer: str) -> str:
    return f"Thought: I know.\nFinal Answer: {answer}"


def look(city: str) -> str:
    return f'Thought: I look.\nAction: look\nAction Input: {{"city": "{city}"}}'


def test_a_benign_crew_works_as_without_a_guard(guard: Guard) -> None:
    def run(guarded: Any, guarded_tool: Any) -> tuple[str, int]:
        llm = scripted(look("Paris"), final(ANSWER))
        crew = crew_of(guarded(llm), guarded_tool(Look()))
        return crew.kickoff(inputs={"question": QUESTION}).raw, len(llm.asked)

    kept = run(lambda llm: guard_llm(llm, guard), lambda tool: guard_tool(tool, guard))
    assert kept == run(lambda llm: llm, lambda tool: tool) == (ANSWER, 2)


def test_a_crew_stops_with_the_verdict(guard: Guard) -> None:
    llm = scripted(final(ANSWER))
    with pytest.raises(Blocked):
        crew_of(guard_llm(llm, guard)).kickoff(inputs={"question": ATTACK})
    assert llm.asked == []


def test_the_model_reads_an_error_in_place_of_a_blocked_result(guard: Guard) -> None:
    llm = scripted(look("Rome"), *[final(ANSWER)] * 4)
    crew = crew_of(guard_llm(llm, guard), guard_tool(Look(), guard))
    assert crew.kickoff(inputs={"question": QUESTION}).raw == ANSWER
    assert "zebra" not in str(llm.asked)


def test_a_blocked_output_is_made_anew(guard: Guard) -> None:
    llm = scripted(final(f"{ATTACK} and more"), final(ANSWER))
    crew = crew_of(llm, guardrail=task_guardrail(guard))
    assert crew.kickoff(inputs={"question": QUESTION}).raw == ANSWER
    assert len(llm.asked) == 2


def test_what_is_guarded_already_or_none_of_crewais_is_refused(guard: Guard) -> None:
    other = Guard(classifier=ScriptedClassifier())
    llm, tool = guard_llm(scripted(), guard), guard_tool(Look(), guard)
    assert guard_llm(llm, guard) is llm
    assert guard_tool(tool, guard) is tool
    with pytest.raises(GuardrailError, match="another way"):
        guard_llm(llm, other)
    with pytest.raises(GuardrailError, match="another way"):
        guard_tool(tool, other)
    with pytest.raises(InputError, match="make one with LLM"):
        guard_llm("gpt-5-mini", guard)
    with pytest.raises(InputError, match="no tool"):
        guard_tool(print, guard)

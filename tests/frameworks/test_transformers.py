from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.frameworks.texts import ANSWER, ATTACK, PAGE, QUESTION
from tinyguardrail_sdk import Blocked, CheckFailed, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters.transformers import guard_pipeline
from tinyguardrail_sdk.testing import ScriptedClassifier

WHY = "pip install 'tinyguardrail-sdk[transformers]'"
transformers: Any = pytest.importorskip("transformers", reason=WHY)
tokenizers: Any = pytest.importorskip("tokenizers", reason=WHY)
torch: Any = pytest.importorskip("torch", reason=WHY)

_WORDS = sorted(set(f"{QUESTION} {ANSWER} {ATTACK} {PAGE} fine explode user assistant".split()))
_TEMPLATE = "{% for message in messages %}{{ message.content }} {% endfor %}"


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    vocab = {word: at for at, word in enumerate(["<unk>", "<pad>", *_WORDS])}
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocab, unk_token="<unk>"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, unk_token="<unk>", pad_token="<pad>", chat_template=_TEMPLATE
    )


class Scripted(transformers.GPT2LMHeadModel):  # type: ignore[misc]
    """A tiny model that goes on with the same words after any prompt, and counts.

    Attributes:
        answer: Their numbers.
        asked: How many prompts it went on with.
    """

    answer: Any = ()
    asked = 0

    def generate(self, input_ids: Any, **kwargs: Any) -> Any:
        self.asked += len(input_ids)
        answer = torch.tensor([list(self.answer)] * len(input_ids), dtype=torch.long)
        return torch.cat([input_ids, answer], dim=1)


@pytest.fixture
def make(tokenizer: Any) -> Callable[[str], Any]:
    def build(answer: str = ANSWER) -> Any:
        config = transformers.GPT2Config(
            vocab_size=len(tokenizer), n_positions=64, n_embd=8, n_layer=1, n_head=1
        )
        model = Scripted(config)
        model.answer = tokenizer(answer)["input_ids"]
        return transformers.pipeline("text-generation", model=model, tokenizer=tokenizer)

    return build


def chat(text: str, role: str = "user") -> list[dict[str, str]]:
    return [{"role": "user", "content": "fine"}, {"role": role, "content": text}]


def drawn(*items: Any) -> Iterator[Any]:
    yield from items


SHAPES: dict[str, Callable[[str], Any]] = {
    "text": lambda text: text,
    "batch": lambda text: ["fine", text],
    "chat": chat,
    "chats": lambda text: [chat("fine"), chat(text)],
    "generator": lambda text: drawn("fine", text),
}
every_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def asked(pipe: Any, given: Any, **options: Any) -> Any:
    result = pipe(given, **options)
    return result if isinstance(result, list) else list(result)


@every_shape
@pytest.mark.parametrize("full", [True, False])
def test_benign_calls_are_as_without_a_guard(
    make: Any, guard: Guard, shape: Callable[[str], Any], full: bool
) -> None:
    pipe = guard_pipeline(make(), guard)
    assert isinstance(pipe, transformers.TextGenerationPipeline)
    answer = asked(pipe, shape(QUESTION), return_full_text=full)
    assert answer == asked(make(), shape(QUESTION), return_full_text=full)
    assert ANSWER in str(answer)


@every_shape
def test_an_attack_does_not_reach_the_model(
    make: Any, guard: Guard, shape: Callable[[str], Any]
) -> None:
    pipe = make()
    with pytest.raises(Blocked):
        asked(guard_pipeline(pipe, guard), shape(ATTACK))
    assert pipe.model.asked <= (shape is SHAPES["generator"])


def test_an_attack_in_a_tool_result_does_not_reach_the_model(make: Any, guard: Guard) -> None:
    pipe = make()
    with pytest.raises(Blocked):
        guard_pipeline(pipe, guard)(text_inputs=chat(PAGE, role="tool"))
    assert pipe.model.asked == 0


@every_shape
@pytest.mark.parametrize("full", [True, False])
def test_an_attack_in_the_answer_is_not_returned(
    make: Any, guard: Guard, shape: Callable[[str], Any], full: bool
) -> None:
    with pytest.raises(Blocked):
        asked(guard_pipeline(make(ATTACK), guard), shape(QUESTION), return_full_text=full)


def test_the_prompt_is_not_judged_again_as_an_answer(
    make: Any, guard: Guard, classifier: ScriptedClassifier
) -> None:
    guard_pipeline(make(), guard)(QUESTION)
    guard_pipeline(make(), guard)(chat(QUESTION))
    said = {text.strip() for text, source in classifier.calls if source.value == "output"}
    assert said == {ANSWER}


def test_a_list_of_data_is_judged_as_it_is_drawn(make: Any, guard: Guard) -> None:
    class Pages(torch.utils.data.Dataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return 2

        def __getitem__(self, index: int) -> str:
            return ["fine", ATTACK][index] if index < 2 else self._end()

        def _end(self) -> str:
            raise IndexError

    results = guard_pipeline(make(), guard)(Pages())
    assert ANSWER in str(next(results))
    with pytest.raises(Blocked):
        list(results)


def test_what_goes_past_the_guard_is_refused(make: Any, guard: Guard) -> None:
    pipe = guard_pipeline(make(), guard)
    for options in ({"streamer": object()}, {"generate_kwargs": {"streamer": object()}}):
        with pytest.raises(GuardrailError, match="streamer"):
            pipe(QUESTION, **options)
    made_with_one = make()
    made_with_one._forward_params["streamer"] = object()
    with pytest.raises(GuardrailError, match="streamer"):
        guard_pipeline(made_with_one, guard)(QUESTION)
    with pytest.raises(InputError, match="return_tensors"):
        pipe(QUESTION, return_tensors=True)
    with pytest.raises(InputError, match="cannot be read"):
        pipe(object())


class Custom(transformers.Pipeline):  # type: ignore[misc]
    """One of another's making, which gives back what it is given, and no text."""

    def __init__(self) -> None:
        self._forward_params: dict[str, Any] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return object() if args == ("object",) else list(args[0])

    preprocess = _forward = postprocess = _sanitize_parameters = __call__


def test_a_result_that_cannot_be_read_is_not_returned(guard: Guard) -> None:
    with pytest.raises(InputError, match="a result that cannot be read"):
        guard_pipeline(Custom(), guard)("object")


def test_what_stands_beside_a_generator_is_judged(guard: Guard) -> None:
    for beside in ({"word_boxes": [(ATTACK, [0.0, 1.0])]}, {"question": ATTACK}):
        with pytest.raises(Blocked):
            guard_pipeline(Custom(), guard)(drawn("fine"), **beside)


def test_errors_pass_through(make: Any, guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CheckFailed):
        guard_pipeline(make(), guard)("explode")

    def broken(*_: Any, **__: Any) -> Any:
        raise OSError("no memory")

    monkeypatch.setattr(Scripted, "generate", broken)
    with pytest.raises(OSError, match="no memory"):
        guard_pipeline(make(), guard)(QUESTION)


def test_other_objects_are_refused(guard: Guard) -> None:
    with pytest.raises(InputError, match="no pipeline"):
        guard_pipeline(object(), guard)


def test_labels_are_not_judged(
    guard: Guard, tokenizer: Any, classifier: ScriptedClassifier
) -> None:
    config = transformers.GPT2Config(
        vocab_size=len(tokenizer),
        n_embd=8,
        n_layer=1,
        n_head=1,
        pad_token_id=1,
        id2label={0: ATTACK, 1: ATTACK},
    )
    model = transformers.GPT2ForSequenceClassification(config)
    pipe = transformers.pipeline("text-classification", model=model, tokenizer=tokenizer)
    assert guard_pipeline(pipe, guard)(QUESTION)[0]["label"] == ATTACK
    with pytest.raises(Blocked):
        guard_pipeline(pipe, guard)({"text": QUESTION, "text_pair": ATTACK})

"""Longer benign prompts put together from others: chats, templates, few-shot lists, contexts.

Prompt templates (`### Instruction:`, role tags, message lists) are what applications send all day,
and what attacks imitate; and without long user prompts, length alone would tell attacks apart.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.benign.grown import Grown
from tinyguardrail_sdk.training.data.carriers import grow_carrier, phrase
from tinyguardrail_sdk.training.data.schema import Example

Piece = Callable[[], str]


class Compound:
    """A generator over the texts of other generators.

    Args:
        askers: What users ask, by weight.
        answers: What models answer.
    """

    def __init__(self, askers: Mapping[Grown, int], answers: Grown) -> None:
        self._askers = list(askers)
        self._weights = list(askers.values())
        self._answers = answers

    def __call__(
        self, rng: random.Random, count: int, *, heldout: bool = False
    ) -> Iterator[Example]:
        """Compose `count` prompts."""
        names = [name for name in _SHAPES if (name in _HELD_OUT) == heldout]
        for _ in range(count):
            name = rng.choice(names)
            text = _SHAPES[name](rng, lambda: self._ask(rng), lambda: self._answer(rng))
            yield Example(
                text, Label.BENIGN, technique=f"compound/{name}", family=f"compound:{name}"
            )

    def _ask(self, rng: random.Random) -> str:
        asker = rng.choices(self._askers, self._weights)[0]
        return asker.one(rng).text

    def _answer(self, rng: random.Random) -> str:
        return self._answers.one(rng).text


def _several(rng: random.Random, ask: Piece, answer: Piece) -> str:
    joint = rng.choice((" ", "\n", "\n\n", " Also: ", " And one more thing. ", "\nPS: "))
    return joint.join(ask() for _ in range(rng.randint(2, 4)))


def _numbered(rng: random.Random, ask: Piece, answer: Piece) -> str:
    mark = rng.choice(("{}. ", "{}) ", "Q{}: ", "- ", "* ", "Task {}: "))
    asks = [mark.format(i) + ask() for i in range(1, rng.randint(3, 7))]
    lead = rng.choice(("", "Please answer all of these:\n", "Questions:\n", "To do:\n"))
    return lead + "\n".join(asks)


def _background(rng: random.Random, ask: Piece, answer: Piece) -> str:
    facts = [phrase(rng, rng.choice(("statement", "chat", "sentence"))) for _ in range(5)]
    told = " ".join(facts[: rng.randint(1, 5)])
    return f"{told} {ask()}" if rng.random() < 0.7 else f"{ask()}\n\n{told}"


def _transcript(rng: random.Random, ask: Piece, answer: Piece) -> str:
    user, model = rng.choice(
        (("User", "Assistant"), ("Human", "AI"), ("Q", "A"), ("Me", "You"), ("<|user|>", "<|bot|>"),
         ("### Human", "### Assistant"), ("Customer", "Agent"), ("[USER]", "[ASSISTANT]"))
    )  # fmt: skip
    lines = []
    for _ in range(rng.randint(1, 3)):
        lines += [f"{user}: {ask()}", f"{model}: {answer()}"]
    lines.append(f"{user}: {ask()}")
    if rng.random() < 0.4:
        lines.append(f"{model}:")
    return rng.choice(("\n", "\n\n")).join(lines)


def _template(rng: random.Random, ask: Piece, answer: Piece) -> str:
    lead = rng.choice(
        ("Below is an instruction that describes a task.\n\n", "", "", "Complete the request.\n\n",
         f"You are a helpful assistant of {phrase(rng, 'company')}.\n\n")
    )  # fmt: skip
    head = rng.choice(("### Instruction:", "Instruction:", "## Task", "[INST]", "PROMPT:", "Task:"))
    field = rng.choice(("### Input:", "Input:", "## Data", "Context:", "Text:"))
    tail = rng.choice(("", "### Response:", "Answer:", "Output:", "[/INST]"))
    given = f"\n\n{field}\n{grow_carrier(rng).text}" if rng.random() < 0.5 else ""
    return f"{lead}{head}\n{ask()}{given}\n\n{tail}".rstrip()


def _messages(rng: random.Random, ask: Piece, answer: Piece) -> str:
    rows = [{"role": "system", "content": f"You help customers of {phrase(rng, 'company')}."}]
    rows = rows if rng.random() < 0.6 else []
    rows.append({"role": "user", "content": ask()})
    if rng.random() < 0.5:
        rows += [{"role": "assistant", "content": answer()}, {"role": "user", "content": ask()}]
    return json.dumps(rows, ensure_ascii=False, indent=rng.choice((None, 1, 2)))


def _tagged(rng: random.Random, ask: Piece, answer: Piece) -> str:
    tag = rng.choice(("context", "document", "text", "email", "data", "page"))
    given = grow_carrier(rng).text
    question = ask()
    if rng.random() < 0.5:
        question = f"<question>{question}</question>"
    return f"<{tag}>\n{given}\n</{tag}>\n\n{question}"


def _shots(rng: random.Random, ask: Piece, answer: Piece) -> str:
    left, right = rng.choice((("Input", "Output"), ("Text", "Label"), ("Q", "A"), ("EN", "DE")))
    labels = rng.choice((("positive", "negative"), ("yes", "no"), ("formal", "casual")))
    rows = []
    for _ in range(rng.randint(2, 5)):
        text = phrase(rng, rng.choice(("review", "chat", "ask", "statement")))
        rows.append(f"{left}: {text}\n{right}: {rng.choice(labels)}")
    rows.append(f"{left}: {phrase(rng, 'sentence')}\n{right}:")
    lead = f"Label each text as {labels[0]} or {labels[1]}.\n\n" if rng.random() < 0.7 else ""
    return lead + rng.choice(("\n", "\n\n")).join(rows)


def _draft(rng: random.Random, ask: Piece, answer: Piece) -> str:
    own = " ".join(phrase(rng, "sentence") for _ in range(rng.randint(2, 8)))
    lead = rng.choice(
        ("Improve this:", "What do you think of my text?", "Is this OK to send?", "My draft:",
         "Rewrite the following so that it sounds friendlier.", "Find mistakes:", "Continue:")
    )  # fmt: skip
    return f"{lead}\n\n{own}" if rng.random() < 0.7 else f"{own}\n\n{lead}"


def _regenerate(rng: random.Random, ask: Piece, answer: Piece) -> str:
    lead = rng.choice(
        ("Your answer was:", "You wrote:", "Last time you said:", "Here is what I got:", "ChatGPT:")
    )
    wish = rng.choice(
        ("Please ignore that and try again, shorter.", "That is wrong. Do it again.",
         "Forget the second part.", "Rewrite it without the list.", "Make it sound like me.",
         "Keep the format but change the topic.", "Disregard my earlier wish for brevity.",
         "Stop adding warnings, I know the risks of baking.", "Be less formal.", "Translate it.")
    )  # fmt: skip
    return f"{lead} {answer()}\n\n{wish}" if rng.random() < 0.6 else f"{wish}\n\n{lead} {answer()}"


_SHAPES: dict[str, Callable[[random.Random, Piece, Piece], str]] = {
    "several": _several,
    "numbered": _numbered,
    "background": _background,
    "transcript": _transcript,
    "template": _template,
    "messages": _messages,
    "tagged": _tagged,
    "shots": _shots,
    "draft": _draft,
    "regenerate": _regenerate,
}
_HELD_OUT = ("shots", "regenerate")

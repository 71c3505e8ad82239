"""What is planted into documents, and what stands in its place in their clean twins."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.training.data.attacks import indirect, injection
from tinyguardrail_sdk.training.data.benign import GENERATORS, tongues
from tinyguardrail_sdk.training.data.benign.requests import request
from tinyguardrail_sdk.training.data.carriers import phrase
from tinyguardrail_sdk.training.data.noise import roughen
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.sheets import question

# Ordinary from a user, attacks only where a document makes them.
_ORDINARY = (
    "request:",
    "indirect:quiet/plain_task",
    "indirect:quiet/encode_answer",
    "indirect:quiet/business",
    "indirect:soft/side_task",
    "indirect:soft/small_question",
    "indirect:soft/answer_form",
    "indirect:soft/form_wish",
    "indirect:soft/unrelated_task",
)
_BARE_SHARE = 0.5
_QUESTION_SHARE = 0.25  # of decoys; more would ask the reader as often as orders do
# Direct frames that a reader of the document would know for an attack; riddles about a password or
# examples of a wrong labelling need the chat that they were written for.
_PLAIN = ("bare_override", "bare_leak", "override", "fake", "exfil", "role", "hijack", "social")
_PLAIN_LEAKS = ("leak/direct", "leak/above", "leak/transform", "leak/as_format", "leak/first_n")
_MOST_CHARS = 600  # longer direct injections are documents themselves
_TRIES = 40  # some languages have no clean sentences of their own


@dataclass(frozen=True, slots=True)
class Order:
    """An instruction to plant.

    Attributes:
        text: Its words.
        family: Its frame, the split key of both twins.
        technique: What the attacked twin is called.
        language: ISO 639-1 code.
    """

    text: str
    family: str
    technique: str
    language: str = "en"

    @property
    def ordinary(self) -> bool:
        """Whether it is benign from a user."""
        return self.technique == "indirect_request"


def planted(rng: random.Random, *, heldout: bool = False) -> Order:
    """Any order: about four in ten are ordinary requests that are only out of place."""
    draw = rng.random()
    if draw < 0.08:
        return direct(rng, heldout=heldout)
    if draw < 0.36:
        return _named(*request(rng, heldout=heldout))
    if draw < 0.62:
        return soft(rng, heldout=heldout)
    return written(rng, heldout=heldout)


def soft(rng: random.Random, *, heldout: bool = False) -> Order:
    """A small favour, an unrelated task or a wish for the form of the answer."""
    return _named(*indirect.soft(rng, heldout=heldout))


def written(rng: random.Random, *, heldout: bool = False) -> Order:
    """An instruction written for documents, from loud to quiet."""
    return _named(*indirect.instruction(rng, heldout=heldout))


def loud(rng: random.Random, *, heldout: bool = False) -> Order:
    """An open attack, one in ten a direct injection."""
    if rng.random() < 0.1:
        return direct(rng, heldout=heldout)
    order = written(rng, heldout=heldout)
    while not order.family.startswith("indirect:loud"):
        order = written(rng, heldout=heldout)
    return order


def direct(rng: random.Random, *, heldout: bool = False) -> Order:
    """A direct injection in any of its languages, without the harmless text around it."""
    while True:
        example = injection.draw(rng, heldout=heldout, bare_share=_BARE_SHARE)
        start, end = example.span or (0, len(example.text))
        text = example.text[start:end].strip()
        plain = example.technique in _PLAIN or example.family.endswith(_PLAIN_LEAKS)
        if plain and len(text) <= _MOST_CHARS:
            return Order(text, example.family, "indirect_direct", example.language)


def decoy(rng: random.Random, order: Order, *, heldout: bool = False) -> str:
    """What a clean twin gets in place of an order: ordinary sentences.

    Beside a direct injection they are as rough as it is, in its language, or a near miss of it:
    or verbs, typos and scripts would give the attack away. Beside others they are, one time in
    four, questions, tasks and favours for people.
    """
    if order.technique != "indirect_direct":
        return question(rng) if rng.random() < _QUESTION_SHARE else _sentences(rng)
    if order.language != "en":
        return _foreign(rng, order.language) or _sentences(rng)
    return _near_miss(rng, heldout) if rng.random() < 0.6 else roughen(rng, _sentences(rng))


def _named(text: str, family: str) -> Order:
    ordinary = family.startswith(_ORDINARY)
    return Order(text, family, "indirect_request" if ordinary else "indirect_hostile")


def _sentences(rng: random.Random) -> str:
    return " ".join(phrase(rng, "sentence") for _ in range(rng.randint(1, 3)))


def _near_miss(rng: random.Random, heldout: bool) -> str:
    while True:
        example = _one(rng, "near_miss", heldout)
        if example.source in (Source.DOCUMENT, Source.TOOL):
            return example.text


def _foreign(rng: random.Random, language: str) -> str:
    if rng.random() < 0.7 and language in tongues.LANGUAGES:
        return tongues.note(rng, language)
    for _ in range(_TRIES):
        example = _one(rng, "multilingual", heldout=False)
        if example.language == language and example.source is not Source.USER:
            return example.text
    return ""


def _one(rng: random.Random, name: str, heldout: bool) -> Example:
    return next(iter(GENERATORS[name](rng, 1, heldout=heldout)))

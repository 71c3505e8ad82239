"""One action and two readers: ordered of the model that reads a text, or asked of a person.

Both texts of a pair are the same mail, table, post or page; at one place of it stands the same
action, once for a model and once for somebody with a name, a desk or a date to keep. So neither
the verb nor the place tells them apart, only who is meant.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.attacks.frames import Frames
from tinyguardrail_sdk.training.data.grammar import Expansion, Grammar
from tinyguardrail_sdk.training.data.orders import Order
from tinyguardrail_sdk.training.data.schema import Example

_WORDS = ("benign_vocab", "carriers", "snippets", "errands", "errands_more", "addressed")
# Places that take several lines.
_ROOMY = (
    "mail",
    "mail_headers",
    "mail_thread",
    "ticket",
    "web",
    "ai_readme",
    "payment",
    "disclaimer",
)
_PERSON_SHARE, _PLAIN_SHARE = 0.55, 0.3  # of clean texts; the others have a sentence there


@cache
def _grammar() -> Grammar:
    return Grammar.load(*_WORDS, "workplaces", slots=("do", "Do", "act"))


@cache
def _frames(part: str) -> Frames:
    return Frames(_grammar(), "addressed", f"frame:{part}/")


def order_and_stead(rng: random.Random, *, heldout: bool = False) -> tuple[Order, str]:
    """An order to a model, and what a person is asked or told in its stead.

    The latter is of the same action more often than not, or a plain wish, or an ordinary sentence.
    """
    action = _grammar().grow(rng, "ad_action").text
    symbol = rng.choice(_frames("model").all(heldout=heldout))
    order = Order(_said(rng, symbol, action), _frames("model").family(symbol), "addressed")
    draw = rng.random()
    if draw < _PERSON_SHARE:
        return order, _said(rng, rng.choice(_frames("person").all(heldout=heldout)), action)
    plain = "ad_plain" if draw < _PERSON_SHARE + _PLAIN_SHARE else "statement"
    return order, _grammar().grow(rng, plain).text


def pair(rng: random.Random, *, heldout: bool = False) -> list[Example]:
    """A text in which a person is asked for something, and the same with an order to a model."""
    order, stead = order_and_stead(rng, heldout=heldout)
    place = rng.choice(_frames("place").all(heldout=heldout))
    seed, source = rng.getrandbits(32), rng.choice((Source.DOCUMENT, Source.TOOL))
    name = place.rpartition("/")[2]
    family = f"{_frames('place').family(place)}+{order.family}"
    texts = (stead, order.text)
    if name not in _ROOMY:
        texts = (" ".join(stead.split()), " ".join(order.text.split()))
    clean, attacked = (_placed(seed, place, text) for text in texts)
    return [
        Example(clean.text, Label.BENIGN, source, f"addressed/{name}_clean", family=family),
        Example(attacked.text, Label.INJECTION, source, f"addressed/{name}", family=family,
                span=attacked.span),
    ]  # fmt: skip


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Yield at least `count` texts, whole pairs."""
    for _ in range(0, count, 2):
        yield from pair(rng, heldout=heldout)


def _said(rng: random.Random, symbol: str, action: str) -> str:
    raised = action[:1].upper() + action[1:]
    return _grammar().grow(rng, symbol, do=action, Do=raised).text


def _placed(seed: int, symbol: str, text: str) -> Expansion:
    # Drawn anew from one seed, so everything around the place is the same for both texts.
    return _grammar().grow(random.Random(seed), symbol, act=text)

"""Mutations: seeded ways to change a text that keep what it is, over the generators' own tricks.

One rule gives the label. Benign stays benign. An attack whose words a mutation hides (every trick
of `disguise.TECHNIQUES`, letter spacing and odd case too) becomes `obfuscation`, as the generator
in `attacks/obfuscation.py` labels it; all else keeps its class.

A mutation changes the attack where a row says where it stands, else the whole text; what only
stands around a text (padding, a document) goes around the whole. Those for training use neither
frames nor bare disguises that are held out for testing; those for testing, held-out frames.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data import noise
from tinyguardrail_sdk.training.data.attacks import obfuscation
from tinyguardrail_sdk.training.data.attacks.disguise import CIPHERS, GROUPS, LOOKS, TECHNIQUES
from tinyguardrail_sdk.training.data.attacks.frames import is_held_out
from tinyguardrail_sdk.training.data.benign import disguised
from tinyguardrail_sdk.training.data.carriers import grow_carrier, phrase
from tinyguardrail_sdk.training.data.planting import Span, plant
from tinyguardrail_sdk.training.data.schema import Example

MOST_PADDING = 4000  # characters
_LEAST_PADDING = 100
_AROUND_SHARE = 0.25  # of the drawn mutants also get something around them
# They lose or keep letters of other scripts, so that nothing or everything would be hidden.
_LATIN = {*CIPHERS, *LOOKS, "morse", "letter_numbers", "nato", "tags"}

# The new text, and the characters in which the given one stands.
Changed = tuple[str, Span]
Act = Callable[[random.Random, Example], Changed]


@dataclass(frozen=True)
class Mutation:
    """One way to change a text.

    Attributes:
        name: Key in `mutations()`; `/asked` ends those that ask the reader to decode.
        group: What kind it is: one of the disguises' groups, `noise` or `around`.
        act: What it does to the text of an example; the label chooses the words around it.
        latin: Whether it does its work on Latin letters only.
    """

    name: str
    group: str
    act: Act
    latin: bool = False

    @property
    def hides(self) -> bool:
        """Whether it hides the words: benign text may rightly look suspicious under it."""
        return self.group in GROUPS

    def fits(self, example: Example) -> bool:
        """Whether the mutated text would still be what its label says."""
        if self.group == "around":
            return True
        if example.label is Label.OBFUSCATION:
            return False  # a typo in a code, or a code within a code, may decode to nothing
        part = _part(example)
        if not self.hides:
            return True
        return len(part) <= obfuscation.MAX_PAYLOAD and not (self.latin and not _is_latin(part))


@cache
def mutations(*, heldout: bool = False) -> dict[str, Mutation]:
    """All mutations by name; `heldout` ones are for testing."""
    found = [Mutation(name, "noise", _whole(act)) for name, act in _NOISE.items()]
    for group, members in GROUPS.items():
        for name in members:
            latin = name in _LATIN
            if heldout or not is_held_out(f"bare/{name}"):
                found.append(Mutation(name, group, _disguised(name), latin))
            found.append(Mutation(f"{name}/asked", group, _asked(name, heldout), latin))
    around = {
        "padded_before": _pad(True, False),
        "padded_after": _pad(False, True),
        "padded": _pad(True, True),
        "far_down": _far_down,
        "planted": _planted(heldout),
    }
    if heldout:
        around |= {"full_before": _pad(True, False, full=True)}
        around |= {"full_after": _pad(False, True, full=True)}
    found += [Mutation(name, "around", act) for name, act in around.items()]
    return {mutation.name: mutation for mutation in found}


def chosen_mutations(names: Iterable[str], *, heldout: bool = False) -> list[Mutation]:
    """The mutations of the given names.

    Raises:
        InputError: There is no such mutation.
    """
    known = mutations(heldout=heldout)
    if unknown := [name for name in names if name not in known]:
        raise InputError(f"no mutation {unknown[0]}; known: {', '.join(known)}")
    return [known[name] for name in names]


def mutate(example: Example, mutation: Mutation, rng: random.Random) -> Example | None:
    """Mutate one text.

    Returns:
        The mutant, its `technique` naming the mutation, of the family and source of the example;
        None where the mutation does not fit or changes nothing.
    """
    if not mutation.fits(example):
        return None
    around = mutation.group == "around"
    start, end = (0, len(example.text)) if around else _span(example)
    part = example.text[start:end]
    changed, (first, last) = mutation.act(rng, replace(example, text=part))
    if changed == part or not changed.strip():
        return None
    text = example.text[:start] + changed + example.text[end:]
    span: Span | None = (start + first, start + last)
    if example.label is Label.BENIGN:
        span = None
    elif around and example.span and changed[first:last] == part:
        span = (first + example.span[0], first + example.span[1])
    hidden = mutation.hides and example.label is not Label.BENIGN
    return replace(
        example,
        text=text,
        label=Label.OBFUSCATION if hidden else example.label,
        technique=f"mutated/{mutation.name}",
        span=span,
    )


def compose(example: Example, steps: Sequence[Mutation], rng: random.Random) -> Example | None:
    """Apply mutations one after another; None where one of them does not fit."""
    for step in steps:
        mutant = mutate(example, step, rng)
        if mutant is None:
            return None
        earlier = example.technique if example.technique.startswith("mutated/") else ""
        technique = f"{earlier}+{step.name}" if earlier else mutant.technique
        example = replace(mutant, technique=technique)
    return example


def draw_mutants(example: Example, count: int, rng: random.Random) -> list[Example]:
    """Up to `count` different mutants for training; kinds are drawn evenly, then their members."""
    groups: dict[str, list[Mutation]] = {}
    for mutation in mutations().values():
        if mutation.fits(example):
            groups.setdefault(mutation.group, []).append(mutation)
    found: dict[str, Example] = {}
    for _ in range(3 * count):
        if len(found) == count:
            break
        steps = [rng.choice(groups[rng.choice(list(groups))])]
        if rng.random() < _AROUND_SHARE:
            steps.append(rng.choice(groups["around"]))
        if mutant := compose(example, steps, rng):
            found.setdefault(mutant.text, mutant)
    return list(found.values())


def mutate_examples(
    examples: Iterable[Example],
    *,
    variants: int = 2,
    benign_share: float = 0.25,
    names: Sequence[str] = (),
    seed: int = 7,
) -> list[Example]:
    """Mutants, for training, of all attacks and of a share of the benign texts.

    Args:
        examples: Texts to mutate.
        variants: Most mutants of a text.
        benign_share: Share of the benign texts that is mutated too.
        names: Mutations to draw from; empty draws from all kinds evenly.
        seed: Of all draws.

    Raises:
        InputError: There is no such mutation, or a number makes no sense.
    """
    if variants < 1 or not 0 <= benign_share <= 1:
        raise InputError("variants must be at least 1 and benign-share in [0, 1]")
    chosen = chosen_mutations(names)
    made = []
    for place, example in enumerate(examples):
        rng = random.Random(f"{seed}:{place}")
        if example.label is Label.BENIGN and rng.random() >= benign_share:
            continue
        if chosen:
            drawn = rng.sample(chosen, len(chosen))
            found = [m for mutation in drawn if (m := mutate(example, mutation, rng))]
            made += found[:variants]
        else:
            made += draw_mutants(example, variants, rng)
    return made


def _span(example: Example) -> Span:
    return example.span or (0, len(example.text))


def _part(example: Example) -> str:
    start, end = _span(example)
    return example.text[start:end]


def _is_latin(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return sum(char.isascii() for char in letters) > 0.9 * len(letters)


def _whole(change: Callable[[random.Random, str], str]) -> Act:
    def act(rng: random.Random, example: Example) -> Changed:
        text = change(rng, example.text)
        return text, (0, len(text))

    return act


def _disguised(name: str) -> Act:
    return _whole(lambda rng, text: TECHNIQUES[name](text))


def _asked(name: str, heldout: bool) -> Act:
    def act(rng: random.Random, example: Example) -> Changed:
        if example.label is not Label.BENIGN:
            return obfuscation.asked(rng, example.text, name, heldout=heldout)
        text = disguised.asked(rng, example.text, name, heldout=heldout)
        return text, (0, len(text))

    return act


def _pad(before: bool, after: bool, *, full: bool = False) -> Act:
    """Ordinary sentences around the text: all that there is room for, or short as often as long."""

    def act(rng: random.Random, example: Example) -> Changed:
        room = MOST_PADDING // (before + after)
        joint = rng.choice((" ", "\n", "\n\n"))

        def padding() -> str:
            least = room if full else _LEAST_PADDING
            return _harmless(rng, room * (least / room) ** rng.random())

        lead = padding() + joint if before else ""
        tail = joint + padding() if after else ""
        return lead + example.text + tail, (len(lead), len(lead) + len(example.text))

    return act


def _harmless(rng: random.Random, size: float) -> str:
    """Ordinary sentences of up to this many characters."""
    text = phrase(rng, "sentence")
    while len(longer := f"{text} {phrase(rng, 'sentence')}") <= size:
        text = longer
    return text


def _far_down(rng: random.Random, example: Example) -> Changed:
    """Below a screen of empty lines."""
    lead = rng.choice(("\n", "\r\n", " \n", "\n\t")) * rng.randint(20, 80)
    return lead + example.text, (len(lead), len(lead) + len(example.text))


def _planted(heldout: bool) -> Act:
    def act(rng: random.Random, example: Example) -> Changed:
        return plant(grow_carrier(rng, heldout=heldout), example.text, rng)

    return act


def _titled(rng: random.Random, text: str) -> str:
    return text.title()


def _punctuated(rng: random.Random, text: str) -> str:
    """Stray marks after a third of the words."""
    marks = (",", "...", "!", "?", ";", ":", " -", "*", ".", " /")
    return " ".join(
        word + (rng.choice(marks) if rng.random() < 0.35 else "") for word in text.split(" ")
    )


def _word_a_line(rng: random.Random, text: str) -> str:
    return rng.choice(("\n", "\r\n", "\n\n")).join(text.split())


def _broken_lines(rng: random.Random, text: str) -> str:
    """Line breaks in the middle of sentences."""
    return "".join("\n" if c == " " and rng.random() < 0.3 else c for c in text)


_NOISE: dict[str, Callable[[random.Random, str], str]] = {
    "lower": noise.lower,
    "chat": noise.chat,
    "typos": lambda rng, text: noise.typos(rng, text, 0.3),
    "shout": noise.shout,
    "titled": _titled,
    "unpunctuated": noise.unpunctuated,
    "respaced": noise.respaced,
    "emphasis": noise.emphasis,
    "punctuated": _punctuated,
    "word_a_line": _word_a_line,
    "broken_lines": _broken_lines,
}

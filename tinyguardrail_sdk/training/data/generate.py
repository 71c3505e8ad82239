"""The labelled training mix: generated and collected texts, deterministic for a seed."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data import carriers, guarded, twins
from tinyguardrail_sdk.training.data.attacks import goals, injection, jailbreak, obfuscation
from tinyguardrail_sdk.training.data.benign import GENERATORS, disguised, fragments, scenes
from tinyguardrail_sdk.training.data.pools import DEFAULT_TERMS, Pools, load_pools
from tinyguardrail_sdk.training.data.proportions import GENERATED, POOL_CAPS, REFERENCE_TOTAL
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.split import HELD_OUT, assigned_split, split

Generator = Callable[[random.Random, int, bool], Iterator[Example]]

_TOLERANCE = 0.05
_ATTEMPTS = 3  # repetitions grow with the size, so that scaling once may not do
_HELDOUT_SHARE = 0.06
_GENERATED = (1 + _HELDOUT_SHARE) * sum(GENERATED.values()) / REFERENCE_TOTAL


@dataclass(frozen=True, slots=True)
class GenerateConfig:
    """What to make.

    Attributes:
        seed: Equal seeds (and pools) make equal sets.
        total: Size that the counts are scaled to. `build` makes fewer rows, for exact repetitions
            are left out and without pools the generators are four fifths of the reference size;
            `build_parts` makes up for that.
        pools: JSON-lines files or directories of them; none makes a wholly generated set.
        terms: Licence groups allowed among pool rows.
        counts: Rows by generator at the reference size, over the defaults of
            `proportions.GENERATED`; zero leaves a generator out.
        heldout_share: Rows of frames that training never sees, as a share of each generator's.
        pool_scale: Multiplies the caps of `proportions.POOL_CAPS`.
    """

    seed: int = 7
    total: int = REFERENCE_TOTAL
    pools: tuple[Path, ...] = ()
    terms: frozenset[str] = DEFAULT_TERMS
    counts: Mapping[str, int] = field(default_factory=dict)
    heldout_share: float = _HELDOUT_SHARE
    pool_scale: float = 1.0

    def __post_init__(self) -> None:
        unknown = sorted(set(self.counts) - set(GENERATED))
        if unknown:
            raise ValueError(f"no generator named {unknown[0]}; there are {', '.join(GENERATED)}")
        if self.total < 1 or not 0 <= self.heldout_share < 1:
            raise ValueError("total must be at least 1 and heldout_share in 0..1")

    def count(self, name: str) -> int:
        """Rows to make with a generator, at this size."""
        return round(self.counts.get(name, GENERATED[name]) * self.total / REFERENCE_TOTAL)


def build(config: GenerateConfig) -> list[Example]:
    """Make the whole set, shuffled, exact repetitions removed.

    Raises:
        ValueError: a pool row or the configuration is wrong.
        FileNotFoundError: a pool is missing.
    """
    seen: dict[tuple[str, str], Example] = {}
    for example in stream(config):
        # The first one wins; the same text may differ in label only across sources.
        seen.setdefault((example.text, str(example.source)), example)
    examples = list(seen.values())
    random.Random(f"{config.seed}/shuffle").shuffle(examples)
    return examples


def build_parts(config: GenerateConfig) -> dict[str, list[Example]]:
    """Make train, validation and test, `config.total` rows in all if there is enough to draw from.

    Raises:
        ValueError: a pool row or the configuration is wrong.
        FileNotFoundError: a pool is missing.
    """
    scaled = config if config.pools else replace(config, total=round(config.total / _GENERATED))
    for _ in range(_ATTEMPTS):
        parts = split(build(scaled))
        made = sum(map(len, parts.values()))
        if close_enough(config.total, made):
            break
        scaled = replace(scaled, total=max(1, round(scaled.total * config.total / max(1, made))))
    return parts


def close_enough(wanted: int, made: int) -> bool:
    """Whether as many rows were made as were asked for, to 5 %."""
    return abs(made - wanted) <= _TOLERANCE * wanted


def stream(config: GenerateConfig) -> Iterator[Example]:
    """Make the set piece by piece: pools first, then one generator after the other."""
    pools = load_pools(config.pools, config.terms) if config.pools else Pools()
    yield from _sample(pools, config)
    for name, generator in _generators(pools, config).items():
        count = config.count(name)
        # A generator of its own for each part: changing one count leaves the others as they were.
        yield from generator(random.Random(f"{config.seed}/{name}"), count, False)
        rng = random.Random(f"{config.seed}/{name}/heldout")
        for example in generator(rng, round(count * config.heldout_share), True):
            yield replace(example, family=HELD_OUT + example.family)


def _sample(pools: Pools, config: GenerateConfig) -> Iterator[Example]:
    groups: dict[tuple[str, str], list[Example]] = defaultdict(list)
    for example in pools.examples:
        groups[(example.technique.removeprefix("pool/"), str(example.label))].append(example)
    scale = config.pool_scale * config.total / REFERENCE_TOTAL
    for key, rows in groups.items():
        cap = math.ceil(POOL_CAPS.get(key, len(rows)) * scale)
        yield from random.Random(f"{config.seed}/{key}").sample(rows, min(cap, len(rows)))


@dataclass(frozen=True, slots=True)
class _Given:
    """Pool texts that generators build on, of one side of the split.

    Attributes:
        payloads: Plain risky requests.
        harmless: Short benign texts.
        asked: Those of users.
        places: Documents and tool results to plant in.
    """

    payloads: list[str]
    harmless: list[str]
    asked: list[str]
    places: list[carriers.Carrier]


def _given(pools: Pools, config: GenerateConfig) -> dict[bool, _Given]:
    """What training frames (False) and held-out frames (True) build on; they share no text.

    Payloads are parted by their words. A benign row is a row of some split itself, so it leads and
    carries the frames of that split only: what stands in test must not come back in training.
    """
    parts: dict[str, list[Example]] = {"train": [], "validation": [], "test": []}
    for example in pools.examples:
        parts[assigned_split(example)].append(example)
    tested = {goals.plain_words(example.text) for example in parts["test"]}
    parts["train"] = [e for e in parts["train"] if goals.plain_words(e.text) not in tested]
    return {
        heldout: _Given(_payloads(pools, config, heldout), *_benign(parts[name]))
        for heldout, name in ((False, "train"), (True, "test"))
    }


def _payloads(pools: Pools, config: GenerateConfig, heldout: bool) -> list[str]:
    english = [p for p in pools.payload_texts("en") if goals.is_held_out(p) == heldout]
    other = [
        p.text
        for p in pools.payloads
        if p.language != "en" and len(p.text) <= 300 and goals.is_held_out(p.text) == heldout
    ]
    rng = random.Random(f"{config.seed}/payloads")
    return english + rng.sample(other, min(len(other), len(english) // 3))


def _benign(rows: Sequence[Example]) -> tuple[list[str], list[str], list[carriers.Carrier]]:
    short = [e for e in rows if e.label is Label.BENIGN and len(e.text) < 240]
    asked = [e.text for e in short if e.source is Source.USER]
    return [e.text for e in short], asked, twins.as_carriers(rows)


def _generators(pools: Pools, config: GenerateConfig) -> dict[str, Generator]:
    """Every generator by its name in `GENERATED`, with the pool texts that it needs."""
    given = _given(pools, config)

    def of(
        generate: Callable[..., Iterator[Example]],
        needed: Callable[[_Given], dict[str, Sequence[Any]]] = lambda side: {},
    ) -> Generator:
        texts = {heldout: needed(side) for heldout, side in given.items()}
        return lambda rng, count, heldout: generate(rng, count, heldout=heldout, **texts[heldout])

    made: dict[str, Generator] = {
        "injection": of(injection.generate, lambda side: {"leads": side.asked}),
        "guarded": of(guarded.generate, lambda side: {"inputs": side.asked}),
        "jailbreak": of(jailbreak.generate, lambda side: {"payloads": side.payloads}),
        "obfuscation": of(
            obfuscation.generate,
            lambda side: {"payloads": list(filter(mostly_latin, side.payloads))},
        ),
        "twins": of(twins.generate, lambda side: {"carriers": side.places}),
        "carrier": of(carriers.generate),
    }
    made.update((name, of(generate)) for name, generate in GENERATORS.items())
    made["harmless_disguise"] = of(
        disguised.generate, lambda side: {"collected": list(filter(mostly_latin, side.harmless))}
    )
    made["scene"] = of(scenes.generate, lambda side: {"collected": side.asked})
    made["fragment"] = of(fragments.generate, lambda side: {"collected": side.harmless})
    return {name: made[name] for name in GENERATED if name in made}


def mostly_latin(text: str) -> bool:
    """Whether ciphers of letters do anything to a text: Morse code of Hindi is an empty string."""
    return sum(map(str.isascii, text)) >= 0.95 * len(text)

"""The labelled training mix: generated and collected texts, deterministic for a seed."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data import carriers, guarded, twins
from tinyguardrail_sdk.training.data.attacks import injection, jailbreak, obfuscation
from tinyguardrail_sdk.training.data.benign import GENERATORS, disguised
from tinyguardrail_sdk.training.data.pools import DEFAULT_TERMS, Pools, load_pools
from tinyguardrail_sdk.training.data.proportions import GENERATED, POOL_CAPS, REFERENCE_TOTAL
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.split import HELD_OUT, assigned_split

Generator = Callable[[random.Random, int, bool], Iterator[Example]]


@dataclass(frozen=True, slots=True)
class GenerateConfig:
    """What to make.

    Attributes:
        seed: Equal seeds (and pools) make equal sets.
        total: Rows wanted, about; counts are scaled to it.
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
    heldout_share: float = 0.06
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


def _generators(pools: Pools, config: GenerateConfig) -> dict[str, Generator]:
    """Every generator by its name in `GENERATED`, with the pool texts that it needs."""
    english = pools.payload_texts("en")
    other = [p.text for p in pools.payloads if p.language != "en" and len(p.text) <= 300]
    rng = random.Random(f"{config.seed}/payloads")
    payloads = english + rng.sample(other, min(len(other), len(english) // 3))
    # Documents of test upstreams must not come back as carriers of training attacks.
    training = [e for e in pools.examples if assigned_split(e) == "train"]
    harmless = [
        (e.text, e.source) for e in training if e.label is Label.BENIGN and len(e.text) < 240
    ]
    places = twins.as_carriers(training)
    asked = [text for text, source in harmless if source is Source.USER]

    def of(generate: Callable[..., Iterator[Example]], *texts: Sequence[str]) -> Generator:
        return lambda rng, count, heldout: generate(rng, count, *texts, heldout=heldout)

    made: dict[str, Generator] = {
        "injection": of(partial(injection.generate, leads=asked)),
        "guarded": of(partial(guarded.generate, inputs=asked)),
        "jailbreak": of(jailbreak.generate, payloads),
        "obfuscation": of(obfuscation.generate, [text for text in payloads if mostly_latin(text)]),
        "twins": of(partial(twins.generate, carriers=places)),
        "carrier": of(carriers.generate),
    }
    made.update((name, of(generate)) for name, generate in GENERATORS.items())
    latin = [text for text, _ in harmless if mostly_latin(text)]
    made["harmless_disguise"] = of(partial(disguised.generate, collected=latin))
    return {name: made[name] for name in GENERATED if name in made}


def mostly_latin(text: str) -> bool:
    """Whether ciphers of letters do anything to a text: Morse code of Hindi is an empty string."""
    return sum(map(str.isascii, text)) >= 0.95 * len(text)

"""The labelled training mix: generated and collected texts, deterministic for a seed."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data import (
    addressed,
    carriers,
    guarded,
    placed,
    records,
    scenes,
    technical,
    tongues,
    twins,
    woven,
    wrapped,
    wrapped_tongues,
    written,
)
from tinyguardrail_sdk.training.data.attacks import (
    carried,
    goals,
    injection,
    jailbreak,
    lookalike,
    obfuscation,
    turned,
)
from tinyguardrail_sdk.training.data.benign import GENERATORS, answers, disguised, fragments
from tinyguardrail_sdk.training.data.jsonl import data_files
from tinyguardrail_sdk.training.data.kept import NOTHING, Kept, key_of
from tinyguardrail_sdk.training.data.keyed import KeyedNumbers, digest
from tinyguardrail_sdk.training.data.parallel import in_order
from tinyguardrail_sdk.training.data.pools import DEFAULT_TERMS, Pools, load_pools
from tinyguardrail_sdk.training.data.proportions import DEFAULT_TOTAL, GENERATED, POOL_CAPS
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.split import HELD_OUT, assigned_split

Make = Callable[[random.Random, int, bool], Iterator[Example]]

_TOLERANCE = 0.05
_CHUNK = 2000  # rows made at a time, by one process
_ATTEMPTS = 20  # collected rows run out at some scale, generated ones make up for them
_EXHAUSTED = 0.05  # share of new rows from which on a chunk is not worth another


@dataclass(frozen=True, slots=True)
class GenerateConfig:
    """What to make.

    Attributes:
        seed: Equal seeds (and pools) make equal sets.
        total: Rows to make.
        pools: JSON-lines files or directories of them; none makes a wholly generated set.
        terms: Licence groups allowed among pool rows.
        counts: Rows by generator beside those of the others, over the defaults of
            `proportions.GENERATED`; zero leaves a generator out.
        heldout_share: Rows of frames that training never sees, as a share of each generator's.
        pool_scale: Multiplies the caps of `proportions.POOL_CAPS`.
    """

    seed: int = 7
    total: int = DEFAULT_TOTAL
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

    @property
    def counts_by_generator(self) -> dict[str, int]:
        """Rows of every generator before they are scaled to `total`."""
        return {**GENERATED, **self.counts}

    @property
    def chunks(self) -> int:
        """Chunks that the rows are planned in."""
        return max(1, math.ceil(self.total / _CHUNK))


def generate(
    config: GenerateConfig,
    *,
    workers: int = 1,
    folder: Path | None = None,
    kept: Kept = NOTHING,
) -> Iterator[Example]:
    """Make `config.total` rows, shuffled, exact repetitions left out.

    Rows are made in chunks of a few thousand, each a small set of its own with everything in it in
    the wanted proportions. A chunk depends on the configuration and its number only, so the rows
    are the same whatever the number of workers, and no more than a few chunks are in memory.

    Args:
        config: What to make.
        workers: Processes; each reads the pools.
        folder: Where keys of the rows made so far are kept; None takes the system's place.
        kept: Where chunks are kept, and those of an interrupted run taken up.

    Yields:
        Fewer rows where there is too little to draw from: a whole chunk nearly all repeated.

    Raises:
        ValueError: A pool row or the configuration is wrong.
        FileNotFoundError: A pool is missing.
    """
    seen = KeyedNumbers(folder)
    made = 0
    chunks_from = partial(_chunks, config, workers)
    with closing(kept.results(partial(_key, config), chunks_from)) as chunks:
        for number, chunk in enumerate(chunks):
            fresh = 0
            for example in map(Example.from_dict, chunk):
                if made == config.total:
                    return
                # The first one wins; the same text may differ in label only across sources.
                key = digest(example.source, example.text)
                if not seen.find(np.array([key], np.uint64)):
                    seen.add([key])
                    fresh, made = fresh + 1, made + 1
                    yield example
            if number + 1 >= config.chunks and fresh <= _EXHAUSTED * len(chunk):
                return


def _key(config: GenerateConfig) -> str:
    return key_of(config, data_files(config.pools))


def _chunks(
    config: GenerateConfig, workers: int, first: int
) -> Generator[list[dict[str, object]], None, None]:
    with closing(in_order(partial(_Maker, config), count(first), workers)) as chunks:
        for chunk in chunks:
            yield [example.to_dict() for example in chunk]


def close_enough(wanted: int, made: int) -> bool:
    """Whether as many rows were made as were asked for, to 5 %."""
    return abs(made - wanted) <= _TOLERANCE * wanted


class _Maker:
    """Makes chunks by their number.

    Collected rows are spread over the first `config.chunks`; further ones, which make up for
    repetitions, are generated alone.
    """

    def __init__(self, config: GenerateConfig) -> None:
        pools = load_pools(config.pools, config.terms) if config.pools else Pools()
        self._config = config
        self._scale = _scale(pools, config)
        self._collected = [*_sample(pools, config, self._scale), *_written(config, self._scale)]
        random.Random(f"{config.seed}/collected").shuffle(self._collected)
        self._generators = _generators(pools, config)

    def __call__(self, number: int) -> list[Example]:
        rows = [*self._of_pools(number), *self._generated(number)]
        random.Random(f"{self._config.seed}/{number}/shuffle").shuffle(rows)
        return rows

    def _of_pools(self, number: int) -> Sequence[Example]:
        first, last = (self._share(len(self._collected), place) for place in (number, number + 1))
        return self._collected[first:last]

    def _generated(self, number: int) -> Iterator[Example]:
        seed, place = self._config.seed, number % self._config.chunks
        for name, generator in self._generators.items():
            whole = self._config.counts_by_generator[name] * self._scale
            held_out = whole * self._config.heldout_share
            learned, tested = (
                self._share(rows, place + 1) - self._share(rows, place)
                for rows in (whole, held_out)
            )
            # A generator of its own for each part: changing one count leaves the others alone.
            yield from generator(random.Random(f"{seed}/{name}/{number}"), learned, False)
            rng = random.Random(f"{seed}/{name}/{number}/heldout")
            for example in generator(rng, tested, True):
                yield replace(example, family=HELD_OUT + example.family)

    def _share(self, rows: float, chunks: int) -> int:
        """Rows of so many that stand in the first chunks."""
        return round(rows * chunks / self._config.chunks)


def _scale(pools: Pools, config: GenerateConfig) -> float:
    """The scale of `proportions` at which generated and collected rows are `total` in all."""
    generated = (1 + config.heldout_share) * sum(config.counts_by_generator.values())
    groups = {key: len(rows) for key, rows in _groups(pools).items()}
    scale = config.total / max(1.0, generated)
    for _ in range(_ATTEMPTS):
        collected = sum(_cap(key, rows, config, scale) for key, rows in groups.items())
        scale *= config.total / max(1.0, generated * scale + collected)
    return scale


def _sample(pools: Pools, config: GenerateConfig, scale: float) -> Iterator[Example]:
    for key, rows in _groups(pools).items():
        drawn = random.Random(f"{config.seed}/{key}")
        yield from drawn.sample(rows, _cap(key, len(rows), config, scale))


def _written(config: GenerateConfig, scale: float) -> list[Example]:
    # Like collected rows, and unlike those of a generator, they are spread over all chunks.
    pairs = written.pairs()
    left = round(config.counts_by_generator["written"] * scale)
    drawn: list[Example] = []
    for pair in random.Random(f"{config.seed}/written").sample(pairs, len(pairs)):
        if len(pair) <= left:
            drawn += pair
            left -= len(pair)
    return drawn


def _groups(pools: Pools) -> dict[tuple[str, str], list[Example]]:
    groups: dict[tuple[str, str], list[Example]] = defaultdict(list)
    for example in pools.examples:
        groups[(example.technique.removeprefix("pool/"), str(example.label))].append(example)
    return groups


def _cap(key: tuple[str, str], rows: int, config: GenerateConfig, scale: float) -> int:
    return min(rows, math.ceil(POOL_CAPS.get(key, rows) * config.pool_scale * scale))


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


def _generators(pools: Pools, config: GenerateConfig) -> dict[str, Make]:
    """Every generator by its name in `GENERATED`, with the pool texts that it needs."""
    given = _given(pools, config)

    def of(
        generate: Callable[..., Iterator[Example]],
        needed: Callable[[_Given], dict[str, Sequence[Any]]] = lambda side: {},
    ) -> Make:
        texts = {heldout: needed(side) for heldout, side in given.items()}
        return lambda rng, count, heldout: generate(rng, count, heldout=heldout, **texts[heldout])

    made: dict[str, Make] = {
        "injection": of(injection.generate, lambda side: {"leads": side.asked}),
        "guarded": of(guarded.generate, lambda side: {"inputs": side.asked}),
        "jailbreak": of(jailbreak.generate, lambda side: {"payloads": side.payloads}),
        "obfuscation": of(
            obfuscation.generate,
            lambda side: {"payloads": list(filter(mostly_latin, side.payloads))},
        ),
        "twins": of(twins.generate, lambda side: {"carriers": side.places}),
        "woven": of(woven.generate),
        "wrapped": of(wrapped.generate),
        "wrapped_tongues": of(wrapped_tongues.generate),
        "turned": of(turned.generate),
        "lookalike": of(lookalike.generate),
        "tongue": of(tongues.generate),
        "carried": of(carried.generate),
        "carrier": of(carriers.generate),
        "records": of(records.generate),
        "addressed": of(addressed.generate),
        "small_task": of(placed.small_tasks),
        "by_source": of(placed.by_source),
        "technical_planted": of(placed.in_technical),
        "technical": of(technical.generate),
    }
    made.update((name, of(generate)) for name, generate in GENERATORS.items())
    made["harmless_disguise"] = of(
        disguised.generate, lambda side: {"collected": list(filter(mostly_latin, side.harmless))}
    )
    made["scene"] = of(
        scenes.generate, lambda side: {"payloads": side.payloads, "collected": side.asked}
    )
    made["answer"] = of(answers.generate, lambda side: {"places": side.places})
    made["fragment"] = of(fragments.generate, lambda side: {"collected": side.harmless})
    return {name: made[name] for name in GENERATED if name in made}


def mostly_latin(text: str) -> bool:
    """Whether ciphers of letters do anything to a text: Morse code of Hindi is an empty string."""
    return sum(map(str.isascii, text)) >= 0.95 * len(text)

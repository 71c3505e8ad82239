"""Where the time of a check goes, part by part: `python -m benchmarks.parts [--rounds 100]`.

The words of real traffic are met again and again, and the tokenizer remembers them; the line
"words forgotten" is what it takes when it does not.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial

from benchmarks.latency import LENGTHS, Forced
from benchmarks.texts import texts, tokenizer
from benchmarks.timing import interleaved, print_json, print_table
from tinyguardrail_sdk import Guard
from tinyguardrail_sdk.detectors import (
    cipher,
    detect,
    encoding,
    english,
    flip,
    homoglyph,
    invisible,
    override,
)
from tinyguardrail_sdk.engine import Engine
from tinyguardrail_sdk.features import FeatureExtractor
from tinyguardrail_sdk.labels import Route, Source
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, load_manifest
from tinyguardrail_sdk.normalize import normalize
from tinyguardrail_sdk.tokenizer import WordPieceTokenizer

Calls = Mapping[str, Callable[[], object]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--texts", type=int, default=20, help="different texts a length")
    arguments = parser.parse_args()
    engine = Engine(DEFAULT_CHECKPOINT, load_manifest(DEFAULT_CHECKPOINT))
    guards = {route: Guard(classifier=Forced(route)) for route in (Route.FAST, Route.DEEP)}
    results: dict[int, dict[str, float]] = {}
    for tokens in LENGTHS:
        parts = [
            {**_text_parts(text), **_network_parts(text, engine), **_checks(text, guards)}
            for text in texts(tokens, arguments.texts)
        ]
        times = interleaved(_by_name(parts), arguments.rounds)
        results[tokens] = {name: round(1e3 * t.median, 1) for name, t in times.items()}
    names = list(results[LENGTHS[0]])
    print(f"microseconds, median of {arguments.rounds}\n")
    print_table(
        ["part", *(f"{tokens} tokens" for tokens in LENGTHS)],
        [[name, *(f"{row[name]:.0f}" for row in results.values())] for name in names],
    )
    print_json("parts", {"rounds": arguments.rounds, "us": results})


def _text_parts(text: str) -> Calls:
    canonical = normalize(text)
    words = english.read(canonical.text)
    return {
        "normalise": partial(normalize, text),
        "tokenise": partial(tokenizer().encode, canonical.text, lossless=True),
        "tokenise, words forgotten": partial(_encode_anew, _forgetful(), canonical.text),
        "detect: read the words": partial(english.read, canonical.text),
        "detect: flip": partial(flip.find, canonical, words),
        "detect: homoglyph": partial(homoglyph.find, canonical),
        "detect: encoding": partial(encoding.find, canonical, words),
        "detect: invisible": partial(invisible.find, canonical),
        "detect: cipher": partial(cipher.find, canonical, words),
        "detect: override": partial(override.find, canonical, words),
        "detect, all": partial(detect, canonical),
        "features (all above)": partial(FeatureExtractor(tokenizer()).extract, text, Source.USER),
    }


@lru_cache
def _forgetful() -> WordPieceTokenizer:
    return WordPieceTokenizer.from_file(DEFAULT_CHECKPOINT / "vocab.txt")


def _encode_anew(forgetful: WordPieceTokenizer, text: str) -> None:
    forgetful._known_lossless.clear()
    forgetful.encode(text, lossless=True)


def _network_parts(text: str, engine: Engine) -> Calls:
    window = FeatureExtractor(tokenizer()).extract(text, Source.USER).windows[0]
    patterns = window.pattern_scores[None]
    inputs = engine._inputs(window, patterns)
    branch, _ = engine._embedded(window)
    return {
        "lay out characters": partial(engine._inputs, window, patterns),
        "embed and route": partial(engine._embed.run, None, inputs),
        "fast branch": partial(engine._fast.run, None, branch),
        "deep branch": partial(engine._deep.run, None, branch),
    }


def _checks(text: str, guards: Mapping[Route, Guard]) -> Calls:
    return {f"check, {route} route": partial(guard.check, text) for route, guard in guards.items()}


def _by_name(parts: Sequence[Calls]) -> dict[str, list[Callable[[], object]]]:
    return {name: [calls[name] for calls in parts] for name in parts[0]}


if __name__ == "__main__":
    main()

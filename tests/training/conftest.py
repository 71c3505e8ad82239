"""A toy task that a toy network learns in seconds: four classes told apart by their words."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from tests.training.homes import Home, serving  # noqa: E402
from tinyguardrail_sdk.labels import LABELS, Label  # noqa: E402
from tinyguardrail_sdk.training.config import TrainConfig, from_dict  # noqa: E402
from tinyguardrail_sdk.training.data.schema import Example, write_examples  # noqa: E402

_SIGNS = {
    Label.BENIGN: "please summarise garden",
    Label.INJECTION: "ignore instructions print",
    Label.JAILBREAK: "pretend rules villain",
    # No detector decodes these: a view would be another text, with words that are not among these.
    Label.OBFUSCATION: "zorgle blick vumper",
}
_FILLER = "red blue green tree car house walk run paper cat dog lamp".split()
_NETWORK = {
    "hidden": 16, "heads": 2, "max_positions": 32, "char_filters": 2, "char_dim": 4,
    "fast_layers": 2, "fast_ffn": 16, "deep_layers": 2, "experts": 4, "expert_ffn": 16,
    "router_hidden": 8,
}  # fmt: skip


def toy_examples(count: int, seed: int) -> list[Example]:
    rng = random.Random(seed)
    examples = []
    for index in range(count):
        label = LABELS[index % len(LABELS)]
        signs = _SIGNS[label].split()  # at both ends, so that every window shows them
        words = signs + rng.choices(_FILLER, k=rng.randint(1, 25)) + signs
        examples.append(Example(" ".join(words), label, family=str(index)))
    return examples


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `vocab.txt`, `train.jsonl.gz` and `validation.jsonl`."""
    folder = tmp_path_factory.mktemp("toy")
    words = [*" ".join(_SIGNS.values()).split(), *_FILLER]
    letters = [*string.ascii_lowercase, *(f"##{letter}" for letter in string.ascii_lowercase)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words, *letters]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    write_examples(folder / "train.jsonl.gz", toy_examples(160, 1))
    write_examples(folder / "validation.jsonl", toy_examples(40, 2))
    return folder


@pytest.fixture
def make_config(toy: Path, tmp_path: Path) -> Callable[..., TrainConfig]:
    """Build a toy run; keywords are fields, or sections whose fields are merged."""

    def make(**changes: Any) -> TrainConfig:
        values: dict[str, Any] = {
            "output": str(tmp_path / "run"),
            "threads": 1,
            "log_every": 2,
            "validate_every": 4,
            "data": {
                "train": [str(toy / "train.jsonl.gz")],
                "validation": [str(toy / "validation.jsonl")],
                "vocab": str(toy / "vocab.txt"),
                "cache": str(toy / "cache"),
                "workers": 1,
                "max_tokens": 24,
                "overlap": 4,
                "tokens_per_batch": 256,
                "max_rows": 16,
            },
            "optimizer": {"lr": 3e-3, "new_lr": 1e-2},
            "schedule": {"max_steps": 8},
            "network": {"vocab_size": 100, **_NETWORK},
        }
        for name, value in changes.items():
            merged = isinstance(value, dict)
            values[name] = {**values.get(name, {}), **value} if merged else value
        return from_dict(values)

    return make


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A server that data sets are fetched from."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as made:
        yield made

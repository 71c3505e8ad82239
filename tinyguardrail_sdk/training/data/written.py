"""Texts written one by one, with no grammar behind them, in `training/data/written/*.jsonl`.

Grammars make many texts of few shapes, and what a network learns of such shapes need not hold for
those of other people. None of these is made by a rule. Two texts in three have a twin: a harmless
and a hostile text in the same words, or a document with and without an order to its reader's
assistant.
"""

from __future__ import annotations

import json
import os
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.split import HELD_OUT

_HELD_OUT_PER_CENT = 10


@cache
def pairs() -> tuple[tuple[Example, ...], ...]:
    """All texts, those of a pair together; one pair in ten is held out, see `split`."""
    found = defaultdict(list)
    for kind, row in _rows():
        found[f"written:{kind}/{row['pair']}"].append(row)
    return tuple(tuple(_pair(family, rows)) for family, rows in found.items())


def _rows() -> Iterator[tuple[str, dict[str, str]]]:
    folder = files("tinyguardrail_sdk.training.data") / "written"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        for line in file.read_text("utf-8").splitlines():
            yield file.name.removesuffix(".jsonl"), json.loads(line)


def _pair(family: str, rows: Sequence[Mapping[str, str]]) -> Iterator[Example]:
    clean = next((row["text"] for row in rows if row["label"] == Label.BENIGN), "")
    held_out = zlib.crc32(f"{family} of test".encode()) % 100 < _HELD_OUT_PER_CENT
    for row in rows:
        label, source = Label(row["label"]), Source(row["source"])
        yield Example(
            row["text"],
            label,
            source=source,
            technique=family.partition("/")[0].replace(":", "/"),
            language=row["language"],
            family=HELD_OUT * held_out + family,
            span=None if label is Label.BENIGN else _span(row["text"], source, clean),
        )


def _span(text: str, source: Source, clean: str) -> tuple[int, int]:
    """Where an attack stands: of what was planted in a clean text, what the two differ in."""
    if source is Source.USER:
        return 0, len(text)
    start = len(os.path.commonprefix((text, clean)))
    rest, clean_rest = text[start:], clean[start:]
    shared = len(os.path.commonprefix((rest[::-1], clean_rest[::-1])))
    return (start, len(text) - shared) if shared < len(rest) else (0, len(text))

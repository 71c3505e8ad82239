"""Scores labelled texts with the checkpoint that ships, whole text and windows as at run time.

Thresholds are the manifest's and never touched here. Rows of a label outside the four classes
(`harmful_plain`: a risky request without a technique) are reported apart and count nowhere else.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.classifier import EmbeddedClassifier
from tinyguardrail_sdk.engine import Engine
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.features import FeatureExtractor
from tinyguardrail_sdk.labels import LABELS, Mode, Route, Source
from tinyguardrail_sdk.manifest import MANIFEST_NAME, Manifest, load_manifest
from tinyguardrail_sdk.tokenizer import WordPieceTokenizer
from tinyguardrail_sdk.training import metrics

# Where the texts of a set come from, by the set's name; the first pattern that fits decides.
SOURCE_MAP: Mapping[str, Source] = {"bipia*": Source.DOCUMENT, "agentdojo*": Source.TOOL}
_LENGTHS = (100, 500, 2000)
_CHUNK = 16

Progress = Callable[[int, int], None]
# Scores, and whether the fast route gave them.
Answer = tuple[tuple[float, float, float, float], bool]


@dataclass(frozen=True)
class Row:
    """A labelled text of an evaluation set.

    Attributes:
        text: What is judged.
        label: A class, or another word for what is reported apart.
        source: Where it is judged to come from.
        set: Name of its file.
        kind: Technique or subset, as the file says.
        language: ISO 639-1 code.
    """

    text: str
    label: str
    source: Source
    set: str
    kind: str
    language: str


@dataclass(frozen=True)
class Scored:
    """Rows and what the checkpoint said of them.

    Attributes:
        rows: The rows.
        scores: (rows, labels) calibrated probabilities.
        fast: (rows,) whether the fast branch answered.
    """

    rows: Sequence[Row]
    scores: NDArray[np.float64]
    fast: NDArray[np.bool_]

    def where(self, holds: Callable[[Row], bool]) -> Scored:
        """Only the rows for which `holds`."""
        chosen = np.array([holds(row) for row in self.rows], bool)
        rows = [row for row, keep in zip(self.rows, chosen, strict=True) if keep]
        return Scored(rows, self.scores[chosen], self.fast[chosen])


def read_rows(paths: Sequence[Path], source_map: Mapping[str, Source]) -> list[Row]:
    """Read JSON lines with `text` and `label`; a folder stands for the files in it.

    Args:
        paths: `.jsonl` or `.jsonl.gz` files, and folders of them.
        source_map: Patterns of set names, over the defaults of `SOURCE_MAP`. A row whose own
            `source` is one of the runtime's keeps it.

    Raises:
        InputError: A line is no such row, or there is none.
        FileNotFoundError: A path does not exist.
    """
    rows = [row for path in _files(paths) for row in _read(path, {**SOURCE_MAP, **source_map})]
    if not rows:
        raise InputError(f"no rows in {', '.join(map(str, paths))}")
    return rows


def score(
    checkpoint: Path,
    rows: Sequence[Row],
    *,
    force: Route | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Scored:
    """Judge every row.

    Args:
        checkpoint: Exported checkpoint.
        rows: What to judge.
        force: Branch that answers every window; None routes as at run time.
        workers: Processes, one thread each.
        progress: Called with rows done and rows in all.
    """
    chunks = [rows[i : i + _CHUNK] for i in range(0, len(rows), _CHUNK)]
    answers: list[Answer] = []
    for part in _answers(checkpoint, chunks, force, workers):
        answers += part
        if progress is not None:
            progress(len(answers), len(rows))
    scores = np.array([answer[0] for answer in answers], np.float64).reshape(-1, len(LABELS))
    return Scored(rows, scores, np.array([answer[1] for answer in answers], bool))


def tables(scored: Scored, manifest: Manifest) -> dict[str, Any]:
    """All tables: overall, and by set, source, length and language; and what is apart.

    Returns:
        JSON types; each entry is what `measure` returns.
    """
    labels = {str(label) for label in LABELS}
    judged = scored.where(lambda row: row.label in labels)
    groupings: dict[str, Callable[[Row], str]] = {
        "set": lambda row: row.set,
        "source": lambda row: str(row.source),
        "length": _length,
        "language": lambda row: row.language,
        "kind": lambda row: f"{row.set}/{row.kind.split(':')[0]}" if row.kind else row.set,
    }
    report: dict[str, Any] = {"all": {"all": measure(judged, manifest)}}
    for name, key in groupings.items():
        report[name] = {
            group: measure(_only(judged, key, group), manifest)
            for group in sorted({key(row) for row in judged.rows})
        }
    report["apart"] = {}
    apart = scored.where(lambda row: row.label not in labels)
    for group in sorted({_set_and_label(row) for row in apart.rows}):
        part = _only(apart, _set_and_label, group)
        everything = np.ones(len(part.rows), bool)
        report["apart"][group] = {
            "texts": len(part.rows),
            "flagged": _flagged(part, manifest, everything),
        }
    return report


def measure(scored: Scored, manifest: Manifest) -> dict[str, Any]:
    """Counts and rates of one group of texts.

    Returns:
        `caught` and `flagged` (attacks, and benign texts, at or over the threshold) per mode with
        Wilson intervals, `auroc`, `accuracy`, `macro_f1`, `fast` (share of texts), `ece`.
    """
    labels = np.array([LABELS.index(row.label) for row in scored.rows], np.int64)
    attack = labels != 0
    classes = metrics.classification(labels, scored.scores.argmax(1))
    return {
        "texts": len(labels),
        "attacks": int(attack.sum()),
        "caught": _flagged(scored, manifest, attack),
        "flagged": _flagged(scored, manifest, ~attack),
        "auroc": metrics.auroc(attack, 1.0 - scored.scores[:, 0]),
        **classes,
        "ece": metrics.calibration_error(scored.scores, labels),
        "fast": metrics.rate(int(scored.fast.sum()), len(labels)).to_dict(),
    }


def evaluate(
    checkpoint: Path,
    paths: Sequence[Path],
    *,
    source_map: Mapping[str, Source] | None = None,
    force: Route | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Score sets and report; see `read_rows`, `score` and `tables`.

    Returns:
        JSON types: what was scored (`model_version`, `manifest_sha256`, `route`, `thresholds`) and
        the `tables`.
    """
    manifest = load_manifest(checkpoint)
    rows = read_rows(paths, source_map or {})
    scored = score(checkpoint, rows, force=force, workers=workers, progress=progress)
    fields = manifest.model_dump(mode="json")
    return {
        "model_version": manifest.model_version,
        # The manifest holds the hash of every file, so this one names the whole checkpoint.
        "manifest_sha256": hashlib.sha256((checkpoint / MANIFEST_NAME).read_bytes()).hexdigest(),
        "route": str(force) if force else "routed",
        "thresholds": fields["thresholds"],
        "tables": tables(scored, manifest),
    }


class _ForcedClassifier:
    """The embedded classifier with one branch for every window."""

    def __init__(self, checkpoint: Path, force: Route) -> None:
        manifest = load_manifest(checkpoint)
        self._extractor = FeatureExtractor(
            WordPieceTokenizer.from_file(checkpoint / "vocab.txt"),
            max_tokens=manifest.max_tokens,
            overlap=manifest.overlap,
        )
        self._engine = Engine(checkpoint, manifest)
        self._force = force

    def answer(self, row: Row) -> Answer:
        windows = self._extractor.extract(row.text, row.source).windows
        answers = [self._engine.run(window, self._force).probabilities for window in windows]
        return min(answers, key=lambda scores: scores[0]), self._force is Route.FAST


class _RoutedClassifier:
    def __init__(self, checkpoint: Path) -> None:
        self._classifier = EmbeddedClassifier(checkpoint)

    def answer(self, row: Row) -> Answer:
        found = self._classifier.classify(row.text, row.source)
        return found.scores, found.route is Route.FAST


_worker: _ForcedClassifier | _RoutedClassifier


def _start_worker(checkpoint: Path, force: Route | None) -> None:
    global _worker
    if force is None:
        _worker = _RoutedClassifier(checkpoint)
    else:
        _worker = _ForcedClassifier(checkpoint, force)


def _judge(rows: Sequence[Row]) -> list[Answer]:
    return [_worker.answer(row) for row in rows]


def _answers(
    checkpoint: Path, chunks: Sequence[Sequence[Row]], force: Route | None, workers: int
) -> Iterator[list[Answer]]:
    if workers == 1:
        _start_worker(checkpoint, force)
        yield from map(_judge, chunks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start_worker, (checkpoint, force)) as pool:
        yield from pool.map(_judge, chunks)


def _flagged(
    scored: Scored, manifest: Manifest, chosen: NDArray[np.bool_]
) -> dict[str, dict[str, float | int | None]]:
    risk = 1.0 - scored.scores[:, 0]
    rates = {}
    for mode in Mode:
        threshold = np.array([manifest.thresholds[row.source][mode] for row in scored.rows])
        hits = int(np.sum((risk >= threshold)[chosen]))
        rates[str(mode)] = metrics.rate(hits, int(chosen.sum())).to_dict()
    return rates


def _only(scored: Scored, key: Callable[[Row], str], group: str) -> Scored:
    return scored.where(lambda row: key(row) == group)


def _set_and_label(row: Row) -> str:
    return f"{row.set}/{row.label}"


def _length(row: Row) -> str:
    for place, limit in enumerate(_LENGTHS):
        if len(row.text) <= limit:
            return f"{place}: up to {limit} characters"
    return f"{len(_LENGTHS)}: over {_LENGTHS[-1]} characters"


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.iterdir() if p.name.endswith((".jsonl", ".jsonl.gz")))
        else:
            yield path


def _read(path: Path, source_map: Mapping[str, Source]) -> Iterator[Row]:
    name = path.name.removesuffix(".gz").removesuffix(".jsonl")
    mapped = next((s for pattern, s in source_map.items() if fnmatch(name, pattern)), Source.USER)
    packed = path.suffix == ".gz"
    opened = gzip.open(path, "rt", encoding="utf-8") if packed else path.open(encoding="utf-8")
    with cast("IO[str]", opened) as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                text, label = row["text"], row["label"]
            except (ValueError, KeyError, TypeError):
                raise InputError(
                    f"{path.name}, line {number}: a row is a JSON object with `text` and `label`"
                ) from None
            stated = row.get("source")
            yield Row(
                text=text,
                label=label,
                source=Source(stated) if stated in set(map(str, Source)) else mapped,
                set=name,
                kind=str(row.get("technique") or row.get("kind") or ""),
                language=str(row.get("language") or row.get("lang") or "en"),
            )

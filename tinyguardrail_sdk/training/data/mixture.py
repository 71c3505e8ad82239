"""One training set out of several files: licences, copies, caps and balance, then the split.

The files are read twice or more and never held: the first reading decides from signatures which
rows stay, a further one writes them. Some 30 bytes a row are in memory, the signatures on disk.
Rows stay in the order of the files; training shuffles.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Label
from tinyguardrail_sdk.training.data.balance import (
    CANDIDATE,
    Candidates,
    Surplus,
    out_of_balance,
    over_caps,
)
from tinyguardrail_sdk.training.data.copies import Copies
from tinyguardrail_sdk.training.data.jsonl import data_files, stem_of, write_json
from tinyguardrail_sdk.training.data.kept import NOTHING, Kept, key_of
from tinyguardrail_sdk.training.data.keyed import digest
from tinyguardrail_sdk.training.data.labelled import labelled_rows, rows_of_files
from tinyguardrail_sdk.training.data.pools import DEFAULT_TERMS, PAYLOAD_LABEL, check_known_terms
from tinyguardrail_sdk.training.data.publish import drafted, publish
from tinyguardrail_sdk.training.data.schema import Example, write_examples
from tinyguardrail_sdk.training.data.split import FROM_TEST, HeldOut, assigned_split, origin_of
from tinyguardrail_sdk.training.progress import Progress

DESCRIPTION = "mix.json"


@dataclass(frozen=True)
class MixConfig:
    """What is mixed, and what stays.

    Attributes:
        inputs: JSON-lines files and folders of them; of two copies the earlier one stays.
        against: Evaluation files and folders: a row that is near one of theirs is dropped.
        terms: Licence groups allowed; a row that states none counts as none-stated.
        near: Share of five-word runs from which two texts count as copies, 0..1; 1 leaves all but
            exact copies.
        caps: Most rows by upstream, * as wildcard; the first pattern that fits decides. What this
            package generated has the upstream `own`.
        shares: Wanted share by class, 0..1; the classes left out divide the rest as they are.
            Rows are only dropped to reach it, never repeated.
        total: Most rows of the result; 0 takes all.
        whole: Leaves everything in `train` instead of parting it by upstream and family.
        seed: Of what is dropped for caps, balance and total.
    """

    inputs: tuple[Path, ...]
    against: tuple[Path, ...] = ()
    terms: frozenset[str] = DEFAULT_TERMS
    near: float = 0.8
    caps: Mapping[str, int] = field(default_factory=dict)
    shares: Mapping[Label, float] = field(default_factory=dict)
    total: int = 0
    whole: bool = False
    seed: int = 7

    def __post_init__(self) -> None:
        if not self.inputs:
            raise InputError("inputs is empty: give JSON-lines files or folders of them")
        check_known_terms(self.terms)
        if not 0.3 <= self.near <= 1:
            raise InputError(f"near={self.near} must be in 0.3..1; 0.8 is usual")
        if odd := [name for name, most in self.caps.items() if most < 0]:
            raise InputError(f"cap of {odd[0]} is negative; 0 leaves the upstream out")
        if self.total < 0:
            raise InputError(f"total={self.total} is negative; 0 takes all")
        self._check_shares()

    def _check_shares(self) -> None:
        asked = sum(self.shares.values())
        if any(not 0 <= share <= 1 for share in self.shares.values()) or asked > 1 + 1e-9:
            raise InputError("shares must be in 0..1 and add up to 1 at most")
        if set(self.shares) == set(LABELS) and abs(asked - 1) > 1e-9:
            raise InputError(f"the shares of all classes add up to {asked:g}: make it 1")


@dataclass
class _Tally:
    read: Counter[int] = field(default_factory=Counter)
    dropped: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def reasons(self) -> dict[str, int]:
        """Rows dropped from all files, the most frequent reason first."""
        return dict(sum(self.dropped.values(), Counter[str]()).most_common())


def mix(
    config: MixConfig, output: Path, progress: Progress, kept: Kept = NOTHING
) -> dict[str, Any]:
    """Mix files into `train.jsonl.gz` and, unless `whole`, `validation` and `test` beside it.

    The report is written beside them, as `mix.json`.

    Args:
        config: What to do.
        output: Folder to write to.
        progress: Told the bytes of the files read so far and of all.
        kept: Where what is found of copies is kept, and that of an interrupted run taken up.

    Returns:
        The report: rows read, kept and dropped with the reasons, by file; what each part holds.

    Raises:
        InputError: A line is no row, is for evaluation only, or nothing is left.
        FileNotFoundError: A file does not exist.
    """
    files = tuple(data_files(config.inputs))
    _refuse_overwriting(files, output)
    names = _Names()
    tally = _Tally()
    with drafted(output, "mix") as folder:
        key = partial(key_of, config, (*files, *data_files(config.against)))
        with kept.journal(key) as journal:
            copies = Copies(config.near, config.against, folder, journal)
            left = np.fromiter(_survey(files, config, names, tally, progress, copies), CANDIDATE)
        leaking = _leaking(files, left, folder)
        left = _without(left, leaking, "near copy of another part", tally)
        if config.caps:
            surplus = over_caps(left, list(names.upstreams), config.caps)
            left = _without(left, surplus, "over the cap", tally)
        if len(left) and (config.shares or config.total):
            surplus = out_of_balance(left, config.shares, config.total)
            left = _without(left, surplus, "balance" if config.shares else "total", tally)
        if not len(left):
            why = ", ".join(f"{n} {reason}" for reason, n in tally.reasons().items())
            raise InputError(f"no row is left; dropped: {why or 'none, the files are empty'}")
        report = _report(files, left, names, tally, config)
        write_json(folder / DESCRIPTION, report)
        _write(files, left, folder, output)
    return report


@dataclass
class _Names:
    """Licence groups and upstreams, each with the index that candidates hold."""

    terms: dict[str, int] = field(default_factory=dict)
    upstreams: dict[str, int] = field(default_factory=dict)


def _place(names: dict[str, int], name: str) -> int:
    return names.setdefault(name, len(names))


def _survey(
    files: Sequence[Path],
    config: MixConfig,
    names: _Names,
    tally: _Tally,
    progress: Progress,
    copies: Copies,
) -> Iterator[tuple[int, ...]]:
    """Rows that pass the filters and are no copies, as `CANDIDATE`."""
    for index, line, example in rows_of_files(files, progress):
        tally.read[index] += 1
        if example is None:
            tally.dropped[index][f"{PAYLOAD_LABEL} is no class"] += 1
            continue
        if reason := _unwanted(example, config.terms) or copies.reason(example):
            tally.dropped[index][reason] += 1
            continue
        upstream = origin_of(example) or stem_of(files[index])
        yield (
            index,
            line,
            LABELS.index(example.label),
            _place(names.terms, example.terms),
            _place(names.upstreams, upstream),
            FROM_TEST.index("train" if config.whole else assigned_split(example)),
            digest(str(config.seed), example.source, example.text),
        )


def _unwanted(example: Example, terms: frozenset[str]) -> str:
    if example.terms not in terms:
        return f"terms {example.terms}"
    return "" if example.text.strip() else "empty"


def _without(rows: Candidates, surplus: Surplus, reason: str, tally: _Tally) -> Candidates:
    numbers, counts = np.unique(rows["file"][surplus], return_counts=True)
    for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
        tally.dropped[number][reason] += count
    return rows[~surplus]


def _refuse_overwriting(files: Sequence[Path], output: Path) -> None:
    targets = {_target(output, part).resolve() for part in FROM_TEST}
    if same := [path for path in files if path.resolve() in targets]:
        raise InputError(f"{same[0]} is read and would be written: choose another output folder")


def _target(output: Path, part: str) -> Path:
    return output / f"{part}.jsonl.gz"


def _leaking(files: Sequence[Path], kept: Candidates, folder: Path) -> Surplus:
    """Collected rows that mostly stand in a part before theirs."""
    held_out, leaking = HeldOut(folder), np.zeros(len(kept), bool)
    for number, part in enumerate(FROM_TEST):
        places = np.flatnonzero(kept["split"] == number)
        if part == "train" and len(places) == len(kept):
            break
        for place, example in zip(places, _read(files, kept[places]), strict=True):
            leaking[place] = not held_out.admits(example, part)
        held_out.close()
    return leaking


def _read(files: Sequence[Path], rows: Candidates) -> Iterator[Example]:
    """The texts of rows, which are in the order of files and lines."""
    for index in np.unique(rows["file"]).tolist():
        lines = iter(rows["line"][rows["file"] == index].tolist())
        wanted = next(lines)
        for number, example in labelled_rows(files[index]):
            if number == wanted and example is not None:
                yield example
                wanted = next(lines, 0)
                if not wanted:
                    break


def _write(files: Sequence[Path], kept: Candidates, folder: Path, output: Path) -> None:
    """Write every part that has rows, and let them appear with the report when all are whole."""
    present, stale = [], []
    for number, part in enumerate(FROM_TEST):
        rows = kept[kept["split"] == number]
        target = _target(folder, part)
        if len(rows):
            write_examples(target, _read(files, rows))
            present.append(target.name)
        else:  # a file of an earlier run would be taken for this one's
            stale.append(target.name)
    publish(folder, output, [*present, DESCRIPTION], stale)


def _report(
    files: Sequence[Path], kept: Candidates, names: _Names, tally: _Tally, config: MixConfig
) -> dict[str, Any]:
    rows = np.bincount(kept["file"], minlength=len(files)).tolist()
    return {
        "read": sum(tally.read.values()),
        "kept": len(kept),
        "dropped": tally.reasons(),
        "files": [
            {
                "name": path.name,
                "read": tally.read[index],
                "kept": rows[index],
                "dropped": dict(tally.dropped[index].most_common()),
            }
            for index, path in enumerate(files)
        ],
        "parts": {
            part: _contents(rows_of_part, names)
            for number, part in reversed(list(enumerate(FROM_TEST)))
            if len(rows_of_part := kept[kept["split"] == number])
        },
        "seed": config.seed,
        "near": config.near,
        "against": [path.name for path in config.against],
    }


def _contents(kept: Candidates, names: _Names) -> dict[str, Any]:
    labels = np.bincount(kept["label"], minlength=len(LABELS)).tolist()
    return {
        "rows": len(kept),
        "label": {str(label): count for label, count in zip(LABELS, labels, strict=True)},
        "terms": _named(kept["terms"], names.terms),
        "upstream": _named(kept["upstream"], names.upstreams),
    }


def _named(places: NDArray[Any], names: Mapping[str, int]) -> dict[str, int]:
    counts = np.bincount(places, minlength=len(names)).tolist()
    named = Counter({name: counts[place] for name, place in names.items() if counts[place]})
    return dict(named.most_common())

"""Public data sets from their homes, as JSON lines of this project's rows."""

from __future__ import annotations

import os
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.errors import GuardrailError, InputError
from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.carriers import Carrier
from tinyguardrail_sdk.training.data.catalogue import CATALOGUE
from tinyguardrail_sdk.training.data.claimed import claimed
from tinyguardrail_sdk.training.data.dataset import Dataset, RemoteFile, RowRule
from tinyguardrail_sdk.training.data.keyed import digest
from tinyguardrail_sdk.training.data.labelled import EVALUATION, USE
from tinyguardrail_sdk.training.data.lockfile import LockFile
from tinyguardrail_sdk.training.data.planting import format_of, plant
from tinyguardrail_sdk.training.data.pools import DEFAULT_TERMS, check_known_terms
from tinyguardrail_sdk.training.data.readers import (
    CATEGORY,
    ENTRY,
    Record,
    read_records,
    require_reader,
)
from tinyguardrail_sdk.training.data.remote import LoginNeeded, Patience, download
from tinyguardrail_sdk.training.data.rules import PINT_RULE
from tinyguardrail_sdk.training.data.schema import write_rows
from tinyguardrail_sdk.training.progress import Progress

Counting = Callable[[str], AbstractContextManager[Progress]]

GROUPS = ("training", "evaluation", "all")
_WORDS = re.compile(r"\w+")
_FEWEST_WORDS = 4  # of a text that must be wordy
_PLANTED = 3  # attacks that are planted into each clean document, one at a time


def user_cache() -> Path:
    """Folder in which this user's programs keep what they can fetch again."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "tinyguardrail" / "data"


@dataclass(frozen=True)
class FetchConfig:
    """What is fetched, and how.

    Attributes:
        names: Data sets, or groups of them (`GROUPS`).
        output: Folder of the JSON lines and of `fetch.lock.json`.
        terms: Licence groups wanted; a data set of another group is refused when it is named, and
            skipped when its group is.
        pint: Files of PINT's form, as paths or HTTPS addresses.
        cache: Folder of what was fetched.
        offline: Takes everything from the cache.
        patience: Limits and retries.
        catalogue: The data sets there are.
    """

    names: tuple[str, ...]
    output: Path
    terms: frozenset[str] = DEFAULT_TERMS
    pint: tuple[str, ...] = ()
    cache: Path = field(default_factory=user_cache)
    offline: bool = False
    patience: Patience = field(default_factory=Patience)
    catalogue: tuple[Dataset, ...] = CATALOGUE

    def __post_init__(self) -> None:
        check_known_terms(self.terms)
        if not self.names and not self.pint:
            raise InputError("nothing to fetch: name data sets; `data fetch --list` shows them")
        known = {dataset.name for dataset in self.catalogue}
        if unknown := [n for n in self.names if n not in known and n not in GROUPS]:
            raise InputError(
                f"no data set is called {unknown[0]}; there are: {', '.join(sorted(known))}; "
                f"or a group: {', '.join(GROUPS)}"
            )


def fetch(config: FetchConfig, counting: Counting) -> dict[str, Any]:
    """Fetch data sets and write `NAME.jsonl.gz` for each.

    Args:
        config: What to do.
        counting: Makes the bar that shows the bytes of a file.

    Returns:
        `fetched` by name; `failed`, messages by name, when several were asked for; and `trusted`,
        see `LockFile`.

    Raises:
        InputError: Terms, names or files that make no sense, or another command is fetching the
            only data set asked for.
        GuardrailError: The only data set asked for cannot be had.
    """
    chosen = _chosen(config)
    lock = LockFile(config.output)
    fetched: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for dataset in chosen:
        try:
            fetched[dataset.name] = _fetch(dataset, config, lock, counting)
        except GuardrailError as error:
            if len(chosen) == 1:
                raise
            failed[dataset.name] = str(error)
    return {"fetched": fetched, "failed": failed, "trusted": lock.trusted}


def _chosen(config: FetchConfig) -> list[Dataset]:
    chosen = []
    for dataset in config.catalogue:
        fits = bool(_terms(dataset) & config.terms)
        if dataset.name in config.names and not fits:
            raise InputError(
                f"{dataset.name} is under {dataset.terms} terms ({dataset.licence}): add "
                f"--terms {dataset.terms} if your use allows it. The checkpoint that ships is "
                "trained on permissive, share-alike and none-stated rows only"
            )
        grouped = "all" in config.names or dataset.use in config.names
        if dataset.name in config.names or (grouped and fits and not dataset.gated):
            chosen.append(dataset)
    return chosen + [_pint(where) for where in config.pint]


def _terms(dataset: Dataset) -> set[str]:
    return {file.terms or dataset.terms for file in dataset.files}


def _pint(where: str) -> Dataset:
    base, _, name = where.replace("\\", "/").rpartition("/")
    stem = name.rpartition(".")[0] or name
    home = where if "://" in where else ""
    file = RemoteFile(name if home else where)
    return Dataset(
        f"pint-{stem}", home, base if home else "", "your own file", "none-stated", "evaluation",
        (file,), (PINT_RULE,),
    )  # fmt: skip


def _fetch(
    dataset: Dataset, config: FetchConfig, lock: LockFile, counting: Counting
) -> dict[str, Any]:
    for file in dataset.files:
        require_reader(file.path)
    paths = {file.path: _obtain(dataset, file, config, lock, counting) for file in dataset.files}
    labels: Counter[str] = Counter()
    target = config.output / f"{dataset.name}.jsonl.gz"
    config.output.mkdir(parents=True, exist_ok=True)
    write_rows(target, _counted(dataset.name, rows_of(dataset, paths, config.terms), labels))
    return {
        "file": str(target),
        "rows": sum(labels.values()),
        "labels": dict(labels.most_common()),
        "use": dataset.use,
        "licence": dataset.licence,
    }


def _counted(name: str, rows: Iterator[Record], labels: Counter[str]) -> Iterator[Record]:
    """Every row once; none is an error."""
    seen = set()
    for row in rows:
        key = digest(row["text"], row["label"])
        if key not in seen:
            seen.add(key)
            labels[row["label"]] += 1
            yield row
    if not labels:
        raise InputError(f"{name}: no record makes a row; its home changed its form")


def _obtain(
    dataset: Dataset, file: RemoteFile, config: FetchConfig, lock: LockFile, counting: Counting
) -> Path:
    """The file in the cache, fetched where it is not there yet, and verified either way."""
    if not dataset.base:  # a file of the user's own
        return Path(file.path)
    url = f"{dataset.base}/{file.path}"
    revision = digest(dataset.base)
    cached = config.cache / dataset.name / f"{revision:016x}" / file.path.replace("/", "__")
    if not cached.exists():
        if config.offline:
            raise GuardrailError(
                f"{dataset.name}: {cached} is not there. Fetch it on a machine with a network, "
                "with --cache DIR, and bring DIR here"
            )
        if dataset.gated:
            raise _by_hand(dataset, url, cached)
        with claimed(cached.parent, "cache"):
            if not cached.exists():  # of a command that has just ended
                _bring(dataset, file, url, cached, config, lock, counting)
                return cached
    lock.verify(url, cached, file.sha256)
    return cached


def _bring(
    dataset: Dataset,
    file: RemoteFile,
    url: str,
    cached: Path,
    config: FetchConfig,
    lock: LockFile,
    counting: Counting,
) -> None:
    """Fetch a file into the cache, while no other command fetches there."""
    arriving = cached.with_name(cached.name + ".new")
    try:
        with counting(f"{dataset.name}: {file.path.rpartition('/')[2]}") as progress:
            download(url, arriving, config.patience, progress)
        lock.verify(url, arriving, file.sha256)
        arriving.replace(cached)
    except LoginNeeded as error:
        raise _by_hand(dataset, url, cached) from error
    finally:
        arriving.unlink(missing_ok=True)


def _by_hand(dataset: Dataset, url: str, cached: Path) -> GuardrailError:
    return GuardrailError(
        f"{dataset.name}: its home wants a login. Accept its terms at {dataset.home}, download "
        f"{url} in a browser, save it as {cached}, and run the command again"
    )


def rows_of(dataset: Dataset, paths: Mapping[str, Path], terms: frozenset[str]) -> Iterator[Record]:
    """Rows of a data set: text, label, source, upstream, terms, lang, kind, and use.

    Args:
        dataset: What its records mean.
        paths: Where its files lie.
        terms: Licence groups wanted.

    Raises:
        InputError: A record lacks a field; file and record are named.
    """
    plants = {file.plant for file in dataset.files if file.plant}
    attacks = {path: list(read_records(paths[path])) for path in plants}
    for file in dataset.files:
        if file.path in plants or (file.terms or dataset.terms) not in terms:
            continue
        for rule in dataset.rules:
            for number, record in enumerate(read_records(paths[file.path], rule.inside), 1):
                row = _row(dataset, file, rule, record, number)
                if row is None:
                    continue
                yield row
                if file.plant:
                    yield from _planted(row, attacks[file.plant], number)


def _row(
    dataset: Dataset, file: RemoteFile, rule: RowRule, record: Record, number: int
) -> Record | None:
    def value(name: str) -> Any:
        if name not in record:
            raise InputError(
                f"{Path(file.path).name}, record {number}: no field {name!r}; "
                f"there are: {', '.join(map(str, record))}"
            )
        return record[name]

    if any(str(value(name)).lower() != wanted for name, wanted in rule.where.items()):
        return None
    text = _text(value(rule.text))
    label = file.label or rule.label
    if rule.label_from:
        found = "/".join(str(value(name)).strip().lower() for name in rule.label_from)
        fitting = (label for pattern, label in rule.labels.items() if fnmatch(found, pattern))
        label = next(fitting, "")
        short = len(_WORDS.findall(str(text))) < _FEWEST_WORDS
        if rule.wordy and short and fnmatch(found, rule.wordy):
            return None
    if not label or not isinstance(text, str) or not text.strip():
        return None
    row = {
        "text": text.replace(rule.without, "") if rule.without else text,
        "label": label,
        "source": str(rule.source),
        "upstream": "/".join(dataset.home.split("/")[-2:]) or dataset.name,
        "terms": file.terms or dataset.terms,
        "lang": dataset.language,
        "kind": str(value(rule.kind_from)) if rule.kind_from else file.kind,
    }
    return {**row, USE: EVALUATION} if dataset.use == EVALUATION else row


def _text(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if all(isinstance(part, str) for part in value):
        return "\n".join(value)
    messages = [part for part in value if isinstance(part, Mapping) and part.get("role") == "user"]
    return messages[0].get("content") if len(messages) == 1 else None


def _planted(row: Record, attacks: Sequence[Record], number: int) -> Iterator[Record]:
    """A clean document with one attack or another in it; over the documents, all take turns."""
    carrier = Carrier(row["text"], format_of(row["text"]), row["source"], row["upstream"])
    for turn in range(_PLANTED):
        attack = attacks[(number * _PLANTED + turn) % len(attacks)]
        rng = random.Random(f"{row['upstream']}/{number}/{turn}")
        text, _ = plant(carrier, attack[ENTRY], rng)
        kind = f"{row['kind']}:{attack[CATEGORY]}"
        yield {**row, "text": text, "label": str(Label.INJECTION), "kind": kind}

"""What the `data` commands without a checkpoint do; `data_cli` says how they are called."""

from __future__ import annotations

import argparse

from rich.console import Console

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Label
from tinyguardrail_sdk.training.counting import counting
from tinyguardrail_sdk.training.data.audit import AuditConfig
from tinyguardrail_sdk.training.data.audit import audit as audit_files
from tinyguardrail_sdk.training.data.catalogue import CATALOGUE
from tinyguardrail_sdk.training.data.fetch import FetchConfig, user_cache
from tinyguardrail_sdk.training.data.fetch import fetch as fetch_sets
from tinyguardrail_sdk.training.data.generate import close_enough
from tinyguardrail_sdk.training.data.jsonl import write_json
from tinyguardrail_sdk.training.data.kept import keeping, unfinished
from tinyguardrail_sdk.training.data.lockfile import LOCK
from tinyguardrail_sdk.training.data.mixture import MixConfig
from tinyguardrail_sdk.training.data.mixture import mix as mix_files
from tinyguardrail_sdk.training.data.parts import write_benign_parts, write_parts
from tinyguardrail_sdk.training.data.pools import DEFAULT_TERMS
from tinyguardrail_sdk.training.data.remote import Patience
from tinyguardrail_sdk.training.data.split import FROM_TEST
from tinyguardrail_sdk.training.data_tables import audit_tables, catalogue_table, mix_tables
from tinyguardrail_sdk.training.preflight import generate_config
from tinyguardrail_sdk.training.reporter import print_json, tell

_DONE, _INCOMPLETE = 0, 2
_WIDTH = 160


def generate(arguments: argparse.Namespace) -> int:
    """Write train, validation and test sets, and `data.json`."""
    config = generate_config(arguments)
    output, workers = arguments.output, arguments.workers
    with keeping(unfinished(output), tell) as kept, counting("generate") as progress:
        sizes = write_parts(config, output, workers=workers, progress=progress, kept=kept)
    if not close_enough(config.total, sizes["made"]):
        tell(
            f"{sizes['made']} rows instead of {config.total}: exact repetitions are "
            "left out, collected texts are capped, and near copies of held-out ones dropped"
        )
    print_json(sizes)
    return _DONE


def split(arguments: argparse.Namespace) -> int:
    """Part the harmless rows of pools; tell what was dropped, and rows by source."""
    with counting("split") as progress:
        report = write_benign_parts(
            arguments.pool, arguments.output, terms=_terms(arguments), progress=progress
        )
    parts = {
        part: {"rows": report[part]["rows"], **report[part]["by"]["source"]}
        for part in reversed(FROM_TEST)
        if part in report
    }
    print_json({**{name: report[name] for name in ("read", "kept", "dropped")}, **parts})
    return _DONE


def fetch(arguments: argparse.Namespace) -> int:
    """Fetch data sets, or list them."""
    if arguments.list:
        Console(width=_WIDTH).print(catalogue_table(CATALOGUE))
        print_json({dataset.name: dataset.home for dataset in CATALOGUE}, shown=True)
        return _DONE
    config = FetchConfig(
        names=tuple(arguments.names),
        output=arguments.output,
        terms=_terms(arguments),
        pint=tuple(arguments.pint),
        cache=arguments.cache or user_cache(),
        offline=arguments.offline,
        patience=Patience(
            timeout=arguments.timeout,
            attempts=arguments.attempts,
            most_bytes=arguments.max_bytes,
        ),
    )
    result = fetch_sets(config, counting)
    for message in result["failed"].values():
        tell(message)
    if trusted := result["trusted"]:
        tell(
            f"no SHA-256 is published for {len(trusted)} of the files: they are taken as they "
            f"came, and recorded in {config.output / LOCK}; from now on nothing else is accepted"
        )
    print_json(result)
    return _INCOMPLETE if result["failed"] else _DONE


def mix(arguments: argparse.Namespace) -> int:
    """Mix files, and show what was dropped."""
    config = MixConfig(
        inputs=tuple(arguments.paths),
        against=tuple(arguments.against),
        terms=_terms(arguments),
        near=arguments.near,
        caps=dict(arguments.cap),
        shares={_label(name): share for name, share in arguments.share},
        total=arguments.total,
        whole=arguments.whole,
        seed=arguments.seed,
    )
    with keeping(unfinished(arguments.output), tell) as kept, counting("read") as progress:
        report = mix_files(config, arguments.output, progress, kept)
    for file in report["files"]:
        if file["read"] and not file["kept"]:
            reasons = ", ".join(f"{n} {reason}" for reason, n in file["dropped"].items())
            tell(f"{file['name']}: none of its rows is kept ({reasons})")
    console = Console(width=_WIDTH)
    for table in mix_tables(report):
        console.print(table)
    parts = {name: part["rows"] for name, part in report["parts"].items()}
    print_json({**{k: report[k] for k in ("read", "kept", "dropped")}, **parts}, shown=True)
    return _DONE


def audit(arguments: argparse.Namespace) -> int:
    """Describe files, show tables and warnings."""
    config = AuditConfig(tuple(arguments.paths), arguments.near, arguments.seed)
    with keeping(unfinished(arguments.output), tell) as kept, counting("read") as progress:
        report = audit_files(config, progress, kept)
        if arguments.output:
            write_json(arguments.output, report)
    console = Console(width=_WIDTH)
    for table in audit_tables(report):
        console.print(table)
    for warning in report["warnings"]:
        console.print(f"! {warning}", markup=False, highlight=False, soft_wrap=True)
    by = {name: counts for name, counts in report["by"].items() if name != "technique"}
    print_json({**report, "by": by}, shown=True)
    return _DONE


def _terms(arguments: argparse.Namespace) -> frozenset[str]:
    return frozenset(arguments.terms) if arguments.terms else DEFAULT_TERMS


def _label(name: str) -> Label:
    try:
        return Label(name)
    except ValueError:
        raise InputError(f"{name} is no class; there are: {', '.join(LABELS)}") from None

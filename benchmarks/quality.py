"""Quality of the files in the wheel on labelled sets, at the thresholds that ship.

`python -m benchmarks.quality --data DIR [--worst 20] [--rivals mine=module:function ...]`. The sets
are those of `tinyguardrail evaluate`: JSON lines with `text` and `label`. Intervals are 95 %, of
shares Wilson's. A rival is a function that gives a text a score, higher for an attack; its
threshold is 0.5, or what stands behind an `@`.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import contest
from benchmarks.sets import add_data, add_limit, limited, parsed
from benchmarks.timing import print_json, print_table
from benchmarks.worst import PROPERTIES, Error, Shared, in_repository, shared, worst, write
from tinyguardrail_sdk import Guard, Policy
from tinyguardrail_sdk.errors import CheckFailed
from tinyguardrail_sdk.labels import LABELS, Label, Mode
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, Manifest, read_manifest
from tinyguardrail_sdk.training.counting import counting
from tinyguardrail_sdk.training.data.jsonl import write_json
from tinyguardrail_sdk.training.evaluate import Bools, Scored, measure, reaches_threshold, score
from tinyguardrail_sdk.training.options import (
    add_checkpoint,
    add_mode,
    add_result,
    add_seed,
    add_source_map,
    add_workers,
)
from tinyguardrail_sdk.training.report.assess import assess_scored
from tinyguardrail_sdk.training.rows import Row, judged_rows
from tinyguardrail_sdk.training.tables import shown_rate

_GROUPINGS = ("set", "source", "length", "language")
_COLUMNS = ("texts", "attacks caught", "harmless flagged", "F1", "AUROC", "caught at 2 %", "ECE")
_LINE = ("model_version", "manifest_sha256", "mode", "limit", "seed", "texts", "data", "sides")
_ASKED_AGAIN = 200
OURS = "tinyguardrail"


def main() -> None:
    """Score and print."""
    arguments = _arguments()
    mode, checkpoint = arguments.mode, arguments.checkpoint or DEFAULT_CHECKPOINT
    rows = judged_rows(arguments.data, dict(arguments.source_map))
    rows, numbers = limited(rows, arguments.limit, arguments.seed)
    asked = {}
    for rival in arguments.rivals:  # one that breaks does so before the long part
        with counting(rival.name) as progress:
            asked[rival] = contest.ask(rival, rows, progress)
    with counting("score") as progress:
        scored = score(checkpoint, rows, workers=arguments.workers, progress=progress)
    manifest = read_manifest(checkpoint)
    risk, flagged = 1.0 - scored.scores[:, 0], _flagged(scored, manifest, mode)
    confirm(Guard(checkpoint, policy=Policy(mode=mode)), rows, flagged, arguments.seed)

    report = assess_scored(checkpoint, arguments.data, scored).to_dict()
    report |= {"mode": str(mode), "limit": arguments.limit, "seed": arguments.seed}
    report["languages"] = by_language(scored, manifest)
    report["sides"] = {OURS: contest.outcome(rows, risk, flagged, mode)} | {
        rival.name: contest.outcome(rows, scores, scores >= rival.threshold, mode)
        for rival, scores in asked.items()
    }
    print_report(report)
    errors = list(worst(rows, numbers, risk, flagged, arguments.worst))
    if arguments.worst_output:
        write(arguments.worst_output, errors)
    elif errors:
        print_errors(errors)
    if errors:
        print_shared(list(shared(errors, rows)))
    if arguments.output:
        write_json(arguments.output, report)
    print_json("quality", {name: report[name] for name in _LINE})


def confirm(guard: Guard, rows: Sequence[Row], flagged: Bools, seed: int) -> None:
    """Ask the guard itself about some of the rows: it must decide as the evaluation did.

    Raises:
        CheckFailed: It does not.
    """
    drawn = random.Random(seed).sample(range(len(rows)), min(_ASKED_AGAIN, len(rows)))
    for place in drawn:
        row = rows[place]
        verdict = guard.check(row.text, source=row.source)
        if (verdict.label is not Label.BENIGN) != flagged[place]:
            raise CheckFailed(
                f"text {place + 1} of the run (set {row.set}): Guard and the evaluation decide "
                "differently; their figures are not to be used, report it as a bug"
            )


def by_language(scored: Scored, manifest: Manifest) -> dict[str, Any]:
    """By language, harmless texts and the attacks whose technique is an override: see `measure`."""
    wanted = scored.where(
        lambda row: row.label == LABELS[0] or (row.has_class and "override" in row.kind)
    )
    counts = Counter(row.language for row in wanted.rows)
    return {
        language: measure(wanted.where(partial(_is_in, language)), manifest)
        for language, _ in counts.most_common()
    }


def print_report(report: Mapping[str, Any]) -> None:
    """Tables by set, source, length and language; what is apart; rivals side by side."""
    mode, tables = report["mode"], report["tables"]
    print(f"model {report['model_version']}, mode {mode}, manifest {report['manifest_sha256']}")
    for grouping in _GROUPINGS:
        print()
        groups = {**tables["all"], **tables[grouping]} if grouping == "set" else tables[grouping]
        print_table(
            [grouping, *_COLUMNS],
            [[name, entry["texts"], *_cells(entry, mode)] for name, entry in groups.items()],
        )
    if any(entry["attacks"] for entry in report["languages"].values()):
        print()
        print_table(
            ["language", "overrides caught", "harmless flagged"],
            [
                [name, *(shown_rate(entry[kind][mode]) for kind in ("caught", "flagged"))]
                for name, entry in report["languages"].items()
            ],
        )
    if tables["apart"]:
        print()
        print_table(
            ["no class", "flagged"],
            [[name, shown_rate(entry["flagged"][mode])] for name, entry in tables["apart"].items()],
        )
    if len(report["sides"]) > 1:
        print()
        print_table(["set", "guardrail", *_COLUMNS[:-1]], list(_side_by_side(report)))


def print_errors(errors: Sequence[Error]) -> None:
    """The worst errors, on the terminal alone."""
    print()
    header = ["kind", "set", "row", "label", *PROPERTIES, "risk", "text"]
    print_table(
        header,
        [
            [
                *(e.kind, e.set, e.row, e.label),
                *(getattr(e, name) for name in PROPERTIES),
                *(f"{e.risk:.4f}", e.start),
            ]
            for e in errors
        ],
    )


def print_shared(found: Sequence[Shared]) -> None:
    """What several of the worst errors have in common, beside how common it is among all texts."""
    print()
    header = ["kind", "in common", "value", "worst errors", "all such texts"]
    lines = [
        [*(s.kind, s.property, s.value), _share(s.errors, s.of_errors), _share(s.texts, s.of_texts)]
        for s in found
    ]
    print_table(header, lines)


def _share(hits: int, total: int) -> str:
    return f"{hits}/{total} {100 * hits / total:.0f} %"


def _flagged(scored: Scored, manifest: Manifest, mode: Mode) -> Bools:
    return reaches_threshold(scored.rows, scored.scores, manifest, mode)


def _is_in(language: str, row: Row) -> bool:
    return row.language == language


def _side_by_side(report: Mapping[str, Any]) -> Iterator[list[object]]:
    for kind in ("set", "apart"):
        for name in report["sides"][OURS][kind]:
            for guardrail, sides in report["sides"].items():
                entry = sides[kind][name]
                yield [name, guardrail, entry["texts"], *_cells(entry, report["mode"])][:8]


def _cells(entry: Mapping[str, Any], mode: str) -> list[str]:
    area, at_2 = entry["auroc"], entry["caught_at_2"]
    cells = [shown_rate(entry["caught"][mode]), shown_rate(entry["flagged"][mode])]
    cells.append(_number(entry["f1"][mode]))
    ends = "" if area is None else " [{:.3f}, {:.3f}]".format(*entry["auroc_interval"])
    cells += [_number(area) + ends, "" if at_2 is None else shown_rate(at_2)]
    return [*cells, _number(entry.get("ece"))]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_data(parser)
    add_checkpoint(parser, "(default: built in)")
    add_source_map(parser)
    add_workers(parser)
    add_mode(parser)
    add_seed(parser)
    parser.add_argument("--rivals", type=contest.rival, nargs="+", default=[], metavar="NAME=M:F")
    add_limit(parser)
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="errors of each kind")
    parser.add_argument("--worst-output", type=Path, metavar="F", help="write them, not print")
    add_result(parser)
    arguments = parsed(parser)
    if arguments.worst_output and in_repository(arguments.worst_output):
        parser.error("--worst-output: texts of sets stay out of the repository, name another file")
    if arguments.worst_output and not arguments.worst:
        parser.error("--worst-output: give --worst too, how many errors of each kind to write")
    names = [rival.name for rival in arguments.rivals]
    if len({*names, OURS}) < len(names) + 1:
        parser.error("--rivals: each needs a name of its own")
    return arguments


if __name__ == "__main__":
    main()

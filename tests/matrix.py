"""Writes `docs/matrix.md` from the reports of test runs, or compares it with them.

    nox; python -m tests.matrix build/results/*.xml           # sections of other groups stay
    python -m tests.matrix --only reasoning some/*.xml        # and all other columns
    python -m tests.matrix --check build/results/*.xml        # status 1 where they differ

With `--only` the reports need no other tests than those of the column, at the versions that the
page names. A test says by its name what it is about; one that is about the answer and the reasoning
likewise, by a parameter `reasoning`. How a client is called is noted in the report: the shape of a
conformance test, or the parameter `way` of another, under a name in `WAYS`.

`--check` fails for a test that ran nowhere, too. A call that a newer version than the page names
no longer has is a warning.
"""

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from tests.documents import ROOT
from tests.groups import EXTRAS, group_of, name_of
from tests.results import NOT_THERE, Case, never_run, read, stem_of

PAGE = ROOT / "docs" / "matrix.md"
WAYS = (
    *("shape", "calling", "streaming", "leaving", "reasoning", "thinking"),
    *("way", "call", "act", "query", "chatting"),
)
# For each column the names of its tests; the first that fits counts.
COLUMNS = {
    "reasoning": r"reasoning",
    "benign": r"benign|as_(one_)?without|unchanged",
    "undo": r"undo",
    "errors": r"^test_errors",
    "concurrent": r"concurrent",
    "stream": r"stream|closing_early|token|chunk|break_off|held_back|events_flow",
    "tool call": r"attack.*(tool_call|arguments)|tool.*with_an_attack",
    "tool result": r"(attack|blocked).*result|attack.*command",
    "document": r"(attack|poison).*(page|document|description|schema|instructions)",
    "answer": r"attack.*(answer|released|told|returned)",
    "user": r"attack.*(user|reach|sent|message|prompt|request|history|before)|stops_an_attack",
}
# Of what a model says; only of such a test a parameter `reasoning` tells what it is about.
SAID = {"answer", "benign", "stream"}
SHOWN = [
    *("benign", "user", "tool result", "document", "tool call", "answer", "reasoning", "stream"),
    *("errors", "concurrent", "undo"),
]
GENERAL = "in general"
HEAD = """# What is tested

Written by `python -m tests.matrix` from reports of `nox` and `.ci/run`; do not edit.
Under each heading are the versions that were tested.

A check mark: with all versions named, every test passed that the version can run; what it does not
have is left out. Versions: with those only. Nothing: there is no such test of this way to call.

The columns: a benign call is as without a guard; an attack of the user, in what a tool or a server
returned, in a document or another part of the request, in the arguments of a tool call, in the
answer, and in the reasoning that is told before it, is stopped, streamed or not; streams are held
back; errors pass through; concurrent calls do not mix; undoing restores.
"""

# For a row and a column, the versions that passed.
Table = dict[str, dict[str, list[str]]]


def way_of(parameters: Mapping[str, Any], tables: Iterable[object] = ()) -> str:
    """Return how a test calls: the parameter itself, or its name, which a table may know."""
    value = next((parameters[name] for name in WAYS if name in parameters), "")
    if not callable(value):
        return str(value)
    for table in tables:
        if isinstance(table, dict):
            for name, known in table.items():
                if known is value:
                    return str(name)
    return str(value.__name__)


def column_of(case: Case) -> str | None:
    """Return the column that a test belongs to."""
    if where := case.properties.get("where"):
        return "tool result" if "tool" in where else "document"
    name, _, parameters = case.name.partition("[")
    column = next((each for each, fits in COLUMNS.items() if re.search(fits, name)), None)
    thought = "reasoning" in re.split(r"[-\]]", parameters)
    return "reasoning" if thought and column in SAID else column


def row_of(case: Case, group: str) -> str:
    """Return the row: what of the group the module is about, and how it is called."""
    subject = stem_of(case).removeprefix(group.replace("-", "_")).strip("_")
    way = case.properties.get("way", "")
    return ": ".join(each for each in (subject, way) if each) or GENERAL


def installed() -> dict[str, str]:
    """Return for each extra of which the package is installed its name and version."""
    found = {}
    for extra, wanted in EXTRAS.items():
        name = name_of(wanted[-1])
        with suppress(metadata.PackageNotFoundError):
            found[extra] = f"{name} {metadata.version(name)}"
    return found


def tables_of(cases: Iterable[Case]) -> tuple[dict[str, Table], dict[str, list[str]]]:
    """Return the table of each group, and its versions, the oldest first."""
    tables: dict[str, Table] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    versions: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        group, column = group_of(stem_of(case), case.versions), column_of(case)
        if group is None or column is None or case.outcome == "skipped":
            continue
        versions[group].add(case.versions[group])
        tables[group][row_of(case, group)][column].append(case.versions[group])
    return tables, {group: sorted(found, key=_number) for group, found in versions.items()}


def _number(version: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", version)]


def section(group: str, table: Table, versions: Sequence[str]) -> str:
    """Return the part of the page about a group."""
    columns = [each for each in SHOWN if any(each in cells for cells in table.values())]
    lines = [f"## {group}", "", "; ".join(versions), "", f"| call | {' | '.join(columns)} |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for row in sorted(table, key=lambda row: (GENERAL in row, row)):
        cells = [_cell(table[row].get(column, []), versions) for column in columns]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(passed: Sequence[str], versions: Sequence[str]) -> str:
    if set(passed) == set(versions):
        return "✓"
    return ", ".join(_number_of(each) for each in versions if each in passed)


def _number_of(version: str) -> str:
    return version.partition(" ")[2]


def _cells(line: str) -> list[str]:
    return [each.strip() for each in line.strip().removeprefix("|").removesuffix("|").split("|")]


def sections_of(page: str) -> dict[str, str]:
    """Return the parts of a page by their groups."""
    return {each.partition("\n")[0]: f"## {each}" for each in page.split("\n## ")[1:]}


def versions_of(text: str) -> list[str]:
    """Return the versions that a part of the page names, the oldest first."""
    return text.splitlines()[2].split("; ")


def table_of(text: str) -> Table:
    """Return the table of a part of the page."""
    versions = versions_of(text)
    head, _, *lines = (_cells(line) for line in text.splitlines()[4:])
    return {
        row: {
            column: [
                each for each in versions if cell == "✓" or _number_of(each) in cell.split(", ")
            ]
            for column, cell in zip(head[1:], cells, strict=True)
            if cell
        }
        for row, *cells in lines
    }


def with_columns(text: str, found: Table, versions: Sequence[str], columns: Sequence[str]) -> Table:
    """Return the table of a part of the page, with some columns as they were found anew.

    Raises:
        ValueError: Other versions were tested, or not all that has a mark there.
    """
    if versions != versions_of(text):
        raise ValueError(f"the page names {versions_of(text)}, tested were {versions}")
    table = table_of(text)
    for row in table.keys() | found.keys():
        new = {each: found[row][each] for each in columns if each in found.get(row, {})}
        before = table.get(row, {})
        if any(not {*before.get(each, [])} <= {*new.get(each, [])} for each in columns):
            raise ValueError(f"{row}: some tests of {', '.join(columns)} are not in the reports")
        if new:
            table[row] = before | new
    return table


def rows_of(page: str) -> dict[tuple[str, str], bool]:
    """Return the rows of a page, each with its group, and whether the newest version has it."""
    found = {}
    for group, text in sections_of(page).items():
        newest = versions_of(text)[-1]
        for row, cells in table_of(text).items():
            found[group, row] = any(newest in passed for passed in cells.values())
    return found


def overtaken(page: str, cases: Iterable[Case]) -> set[str]:
    """Return the groups of a page that were tested at a newer version than its newest instead."""
    sections = sections_of(page)
    tested: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        group = group_of(stem_of(case), sections)
        if group in case.versions and case.outcome != "skipped":
            tested[group].add(case.versions[group])
    newest = {group: versions_of(sections[group])[-1] for group in tested}
    return {
        group
        for group, versions in tested.items()
        if newest[group] not in versions
        if _number(newest[group]) < max(map(_number, versions))
    }


def differences(page: str, cases: Sequence[Case]) -> tuple[list[str], list[str]]:
    """Return what differs, and of that apart what may be of a version that the page does not know.

    What differs are rows that only the page has or only the reports, and tests that ran nowhere.
    """
    rows, known = rows_of(page), sections_of(page)
    passed, new = set(), set()
    for case in cases:
        if case.outcome == "passed" and column_of(case) is not None:
            passed.add(named := _named(case, known))
            if "way" in case.properties:  # others may be about no client at all
                new.add(named)
    missing = {named for named, newest in rows.items() if newest} - passed
    groups = overtaken(page, cases)
    gone = {named for named in missing if named[0] in groups}
    lost = never_run(cases)
    for case in cases:
        if _named(case, known) in gone and NOT_THERE in case.why:
            lost.pop(str(case), None)
    said = "is in the table, and no test of it passed"
    found = [
        *(f"{group}: {row} {said}" for group, row in missing - gone),
        *(f"{group}: {row} passed, and is not in the table" for group, row in new - rows.keys()),
        *(f"not run: {name}: {why}" for name, why in lost.items()),
    ]
    return sorted(found), sorted(f"{group}: {row} {said}" for group, row in gone)


def _named(case: Case, sections: Iterable[str]) -> tuple[str, str]:
    """The group and the row of a case; a group without a section goes by its extra."""
    group = group_of(stem_of(case), {*sections, *case.versions}) or stem_of(case)
    return group, row_of(case, group)


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with `--check` print what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", action="append", choices=SHOWN, metavar="COLUMN")
    parser.add_argument("reports", nargs="+", type=Path)
    given = parser.parse_args(arguments)
    cases = list(read(given.reports))
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if given.check:
        found, newer = differences(page, cases)
        for each in newer:
            print(f"warning: {each}; a newer version than {PAGE.name} names was tested")
        print("\n".join(found) or f"{PAGE.name} says what the reports say")
        return int(bool(found))
    if failed := [str(case) for case in cases if case.outcome == "failed"]:
        print("failed, so nothing is written:", *failed, sep="\n")
        return 1
    tables, versions = tables_of(cases)
    parts = sections_of(page)
    for group, table in tables.items():
        if given.only:
            table = with_columns(parts[group], table, versions[group], given.only)
        parts[group] = section(group, table, versions[group])
    PAGE.write_text("\n".join([HEAD, *(parts[each].rstrip() + "\n" for each in sorted(parts))]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

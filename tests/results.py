"""What the reports of test runs say together: a test that was skipped in all of them has not run.

    python -m tests.results [--older] build/results/*.xml

ends with status 1 and the names of such tests, and of those that failed; with `--older`, but for
what a version of a client does not have.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

# How a test says that what it is about is absent from the version that is installed.
NOT_THERE = "this version has no"


@dataclass(frozen=True)
class Case:
    """One test of one run.

    Attributes:
        versions: What was installed: for each extra its package and the version.
        module: Where it is; empty for a module that was skipped as a whole, whose name this is.
        outcome: `passed`, `failed` or `skipped`.
        why: Of a skipped one, what it says.
        properties: What `record_property` noted.
    """

    versions: dict[str, str]
    module: str
    name: str
    outcome: str
    why: str
    properties: dict[str, str]

    def __str__(self) -> str:
        return f"{self.module}.{self.name}".strip(".")


def read(paths: Iterable[Path]) -> Iterator[Case]:
    """Yield the tests in JUnit reports, as pytest writes them."""
    for path in paths:
        for suite in ElementTree.parse(path).iter("testsuite"):
            versions = _properties(suite)
            for case in suite.iter("testcase"):
                yield _case(versions, case)


def _properties(element: ElementTree.Element) -> dict[str, str]:
    found = element.iterfind("properties/property")
    return {each.get("name", ""): each.get("value", "") for each in found}


def _case(versions: dict[str, str], case: ElementTree.Element) -> Case:
    skipped = case.find("skipped")
    failed = case.find("failure") is not None or case.find("error") is not None
    return Case(
        versions=versions,
        module=case.get("classname", ""),
        name=case.get("name", ""),
        outcome="failed" if failed else "passed" if skipped is None else "skipped",
        why="" if skipped is None else _reason(skipped),
        properties=_properties(case),
    )


def _reason(skipped: ElementTree.Element) -> str:
    said = skipped.get("message", "")
    if said == "collection skipped":  # a module; its text is a tuple of place and reason
        said = str(ast.literal_eval(skipped.text or "")[2])
    return said.removeprefix("Skipped: ")


def never_run(cases: Sequence[Case], older: bool = False) -> dict[str, str]:
    """Return the tests that were skipped wherever they are, and why.

    Args:
        cases: Of one or more runs.
        older: Whether they are of a version that may lack what is tested.
    """
    ran = {str(case) for case in cases if case.outcome != "skipped"}
    # A module that is skipped as a whole ran where one of its tests did.
    ran |= {
        ".".join(case.module.split(".")[:end])
        for case in cases
        if case.outcome != "skipped"
        for end in range(1, case.module.count(".") + 2)
    }
    return {
        str(case): case.why
        for case in cases
        if case.outcome == "skipped" and str(case) not in ran
        if not (older and NOT_THERE in case.why)
    }


def stem_of(case: Case) -> str:
    """Return the module of a test, without what all have."""
    found = re.search(r"\.test_(\w+)", f".{case.module}")
    return found[1] if found else ""


def main(arguments: Sequence[str]) -> int:
    """Print how many tests the runs had, what failed in one, and what none of them ran."""
    cases = list(read(Path(each) for each in arguments if each != "--older"))
    missed = never_run(cases, "--older" in arguments)
    for name in sorted({str(case) for case in cases if case.outcome == "failed"}):
        print(f"failed: {name}")
    for name, why in missed.items():
        print(f"not run: {name}: {why}")
    counts = Counter(case.outcome for case in cases)
    print(", ".join(f"{counts[each]} {each}" for each in ("passed", "failed", "skipped")))
    print(f"{len(missed)} tests or modules ran nowhere" if missed else "every test ran somewhere")
    return int(bool(missed or counts["failed"]) or not counts["passed"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

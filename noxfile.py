"""Tests of each client and framework with the oldest and the newest version that it supports.

Of OpenAI also with the newest of the major between them.

    nox                           # every group in environments of its own: once a week
    nox -k "ollama and newest"
    nox -s together               # the newest of what the developer install lacks: `.ci/run`

A group is an extra of `pyproject.toml`; its tests are the modules that begin with its name. What
cannot be installed, or is skipped all the same, fails its session. Reports: `build/results`.
"""

import os
import sys
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent))  # nox itself does not

from tests.groups import EXTRAS, PROJECT, SEVERAL, TOGETHER, group_of, name_of  # noqa: E402

RESULTS = Path(os.environ.get("RESULTS", "build/results"))
MODULES = [
    path
    for folder in ("tests/adapters", "tests/frameworks")
    for path in sorted(Path(folder).glob("test_*.py"))
]
# What the tests of a group need besides; torch is not tested with more than one version.
BESIDES = {
    "asgi": ["httpx"],
    "mistral": ["websockets"],  # to see that its realtime part is refused
    "transformers": ["torch==2.13.0"],
}
# What is released with a package under the same versions, so that it is tested at the same one.
RELEASED_WITH = {"crewai": "crewai-files"}
# Majors between the oldest and the newest version of a client; each is tested at its newest.
BETWEEN = {"openai": ["2.*"]}
GROUPS = sorted({group for module in MODULES if (group := group_of(module.stem))})
TESTED = [
    (group, version)
    for group in GROUPS
    for version in ("oldest", *BETWEEN.get(group, ()), "newest")
]


def tests_of(group: str) -> list[str]:
    """Return the modules of a group and, of a framework, its example in the documentation."""
    modules = [module for module in MODULES if group_of(module.stem) == group]
    adapter = group.replace("-", "_")
    examples = [
        f"tests/frameworks/test_examples.py::test_the_example_runs[{adapter}]"
        for module in modules[:1]
        if module.parent.name == "frameworks"
    ]
    return [*map(str, modules), *examples]


def wanted_by(group: str, version: str = "newest") -> list[str]:
    """Return the requirements of a group whose versions are tested, at one version."""
    extras = SEVERAL.get(group, [group])
    fixed = [name_of(each) for each in BESIDES.get(group, [])]
    wanted = [each for extra in extras for each in EXTRAS[extra] if name_of(each) not in fixed]
    wanted += [
        each.replace(name, RELEASED_WITH[name])
        for each in wanted
        if (name := name_of(each)) in RELEASED_WITH
    ]
    if version == "newest":
        return wanted
    lowest = [each.partition(">=") for each in wanted]
    return [f"{name}=={least if version == 'oldest' else version}" for name, _, least in lowest]


def test(
    session: nox.Session, groups: list[str], version: str, report: str, *, lacking: bool
) -> None:
    """Install groups and run their tests; they may skip only what versions lack, with `lacking`."""
    wanted = [each for group in groups for each in wanted_by(group, version)]
    besides = [each for group in groups for each in BESIDES.get(group, [])]
    # The package itself is that of the checkout: `.ci/run` looks into its wheel.
    session.install("--no-compile", *PROJECT["dependencies"], "pytest", *wanted, *besides)
    path = str(RESULTS / f"{report}.xml")
    tests = [each for group in groups for each in tests_of(group)]
    here = {"PYTHONPATH": str(Path.cwd())}  # for processes that tests start
    session.run("python", "-m", "pytest", *tests, f"--junitxml={path}", env=here)
    older = ["--older"] if lacking else []
    session.run("python", "-m", "tests.results", *older, path)


@nox.session
@nox.parametrize(["group", "version"], TESTED)
def adapter(session: nox.Session, group: str, version: str) -> None:
    """Run the tests of one group at one version."""
    report = f"{group}-{version.rstrip('.*')}"
    test(session, [group], version, report, lacking=version != "newest")


@nox.session(default=False)
@nox.parametrize("name", list(TOGETHER))
def together(session: nox.Session, name: str) -> None:
    """Run the tests of groups that share an environment, at their newest versions."""
    # A change that is tested is not to fail for what a client took away: `.ci/run` compares.
    test(session, TOGETHER[name], "newest", name, lacking=True)

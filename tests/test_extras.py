"""Extras have one spelling, that of pip, and every line that installs one names one that exists."""

import ast
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.documents import ROOT
from tests.groups import EXTRAS, PROJECT, name_of

SEARCHED = (
    *("README.md", "CONTRIBUTING.md", "noxfile.py", ".ci/*", "docs/*.md"),
    *("tinyguardrail_sdk/**/*.py", "tests/**/*.py", "benchmarks/*"),
)
FILES = [path for pattern in SEARCHED for path in ROOT.glob(pattern) if path.is_file()]
# The package or the checkout, with extras.
WITH_EXTRAS = re.compile(r"""(?:tinyguardrail-sdk|["' ]\.)\[([\w.,-]+)\]""")

# Modules that are not called as their package is.
PACKAGES = {"sklearn": "scikit-learn", "yaml": "pyyaml", "huggingface_hub": "huggingface-hub"}


def named_in(path: Path) -> set[str]:
    found = WITH_EXTRAS.findall(path.read_text(encoding="utf-8"))
    return {extra for each in found for extra in each.split(",")}


def test_extras_are_spelled_as_pip_does() -> None:
    assert EXTRAS
    assert [name for name in EXTRAS if re.sub(r"[-_.]+", "-", name).lower() != name] == []


def test_every_extra_that_is_named_exists() -> None:
    unknown = {str(path.relative_to(ROOT)): named_in(path) - EXTRAS.keys() for path in FILES}
    assert {path: names for path, names in unknown.items() if names} == {}
    assert {"openai-agents", "train", "dev"} <= set().union(*map(named_in, FILES))


def imported_by(path: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(str(node.module))
    return {module.partition(".")[0] for module in modules}


def test_the_train_extra_brings_all_that_training_imports() -> None:
    files = (ROOT / "tinyguardrail_sdk" / "training").rglob("*.py")
    modules = set().union(*map(imported_by, files)) - sys.stdlib_module_names
    needed = {PACKAGES.get(module, module) for module in modules} - {"tinyguardrail_sdk", "tomllib"}
    assert {"torch", "scipy", "pyarrow"} <= needed
    brought = set(map(name_of, (*PROJECT["dependencies"], *EXTRAS["train"])))
    assert needed - brought == set()
    assert "tensorboard" in brought  # accelerate imports it for us


@pytest.fixture(scope="module")  # nox takes a session of a name once
def noxfile() -> ModuleType:
    pytest.importorskip("nox")
    spec = importlib.util.spec_from_file_location("noxfile", ROOT / "noxfile.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        spec.loader.exec_module(module)
    return module


def test_nox_installs_the_version_that_a_session_is_about(noxfile: ModuleType) -> None:
    tested = [version for group, version in noxfile.TESTED if group == "openai"]
    assert tested == ["oldest", "2.*", "newest"]
    assert noxfile.wanted_by("openai", "oldest") == [EXTRAS["openai"][0].replace(">=", "==")]
    assert noxfile.wanted_by("openai", "2.*") == ["openai==2.*"]
    assert noxfile.wanted_by("openai", "newest") == EXTRAS["openai"]
    (oldest,) = EXTRAS["crewai"]
    both = [oldest.replace(">=", "=="), oldest.replace("crewai>=", "crewai-files==")]
    assert noxfile.wanted_by("crewai", "oldest") == both


def test_nox_knows_every_group_and_its_tests(noxfile: ModuleType) -> None:
    together = {group for groups in noxfile.TOGETHER.values() for group in groups}
    assert together <= set(noxfile.GROUPS)
    pages = (ROOT / "docs" / "frameworks.md").read_text(encoding="utf-8")
    examples = 0
    for group in noxfile.GROUPS:
        assert noxfile.wanted_by(group)
        for test in noxfile.tests_of(group):
            path, _, name = test.partition("::")
            assert (ROOT / path).is_file()
            if name:
                examples += 1
                assert f"\n## {name.partition('[')[2].rstrip(']')}\n" in pages
    assert examples

"""The page about what is tested follows from reports, and a test that ran nowhere is told."""

import importlib
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests import groups, matrix, results
from tests.adapters.conformance import Conformance
from tests.documents import ROOT

REPORT = """<testsuites><testsuite><properties><property name="acme" value="acme {version}" />
</properties>{cases}</testsuite></testsuites>"""
CASE = """<testcase classname="tests.adapters.test_acme.TestAcme" name="{name}">
<properties><property name="way" value="{way}" /></properties>{more}</testcase>"""
SKIPPED = """<skipped message="{why}">somewhere.py:1: {why}</skipped>"""
ABSENT = """<testcase classname="" name="tests.adapters.test_acme">
<skipped message="collection skipped">('a.py', 3, 'Skipped: pip install acme')</skipped></testcase>
"""
LACKING = """<testcase classname="tests.adapters.test_acme.TestAcme" name="test_x">
<skipped message="this version has no x">somewhere.py:1: this version has no x</skipped></testcase>
<testcase classname="tests.adapters.test_acme.TestAcme" name="test_y" />"""
USER = "test_an_attack_of_the_user_is_not_sent[{way}-Client]"


def case(way: str = "chat", name: str = USER, more: str = "") -> str:
    return CASE.format(name=name.format(way=way), way=way, more=more)


def reported(tmp_path: Path, runs: Iterable[tuple[str, str]]) -> list[str]:
    """Write a report of each run, which has a version and cases."""
    paths = []
    for number, (version, cases) in enumerate(runs):
        path = tmp_path / f"{number}.xml"
        text = REPORT.format(version=version, cases=cases)
        path.write_text(text, encoding="utf-8")
        paths.append(str(path))
    return paths


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "matrix.md"
    monkeypatch.setattr(matrix, "PAGE", path)
    return path


OLD, NEW = ("1.9.0", case() + case("old")), ("1.10.0", case() + case("new"))


def test_the_page_follows_from_the_reports(tmp_path: Path, page: Path) -> None:
    assert matrix.main(reported(tmp_path, [NEW, OLD])) == 0
    assert page.read_text(encoding="utf-8").endswith(
        "## acme\n\nacme 1.9.0; acme 1.10.0\n\n"
        "| call | user |\n|---|---|\n| chat | ✓ |\n| new | 1.10.0 |\n| old | 1.9.0 |\n"
    )


def test_sections_without_a_report_stay(tmp_path: Path, page: Path) -> None:
    page.write_text("# Old\n\n## zeta\n\nzeta 1\n", encoding="utf-8")
    assert matrix.main(reported(tmp_path, [NEW])) == 0
    assert list(matrix.sections_of(page.read_text(encoding="utf-8"))) == ["acme", "zeta"]


THOUGHT = case(name="test_an_attack_in_the_reasoning_is_stopped[{way}]")


def test_one_column_is_written_from_reports_of_its_tests(tmp_path: Path, page: Path) -> None:
    matrix.main(reported(tmp_path, [OLD, NEW]))
    only = ["--only", "reasoning"]
    assert matrix.main([*only, *reported(tmp_path, [("1.9.0", THOUGHT), ("1.10.0", THOUGHT)])]) == 0
    written = page.read_text(encoding="utf-8")
    assert written.endswith(
        "| call | user | reasoning |\n|---|---|---|\n"
        "| chat | ✓ | ✓ |\n| new | 1.10.0 |  |\n| old | 1.9.0 |  |\n"
    )
    other = ("1.10.0", case(name="test_the_reasoning_is_held_back[other]", way="other"))
    with pytest.raises(ValueError, match="chat: some tests of reasoning"):
        matrix.main([*only, *reported(tmp_path, [("1.9.0", THOUGHT), other])])
    with pytest.raises(ValueError, match="tested were"):
        matrix.main([*only, *reported(tmp_path, [("1.11.0", THOUGHT)])])
    assert page.read_text(encoding="utf-8") == written


def test_a_parameter_can_say_that_a_test_is_about_reasoning(tmp_path: Path, page: Path) -> None:
    names = [f"test_an_attack_is_not_released[chat-{said}]" for said in ("text", "reasoning")]
    assert matrix.main(reported(tmp_path, [("1.9.0", "".join(case(name=n) for n in names))])) == 0
    written = page.read_text(encoding="utf-8")
    assert written.endswith("| call | answer | reasoning |\n|---|---|---|\n| chat | ✓ | ✓ |\n")


def test_a_parameter_of_a_test_about_a_request_says_nothing_of_reasoning(
    tmp_path: Path, page: Path
) -> None:
    cases = case(name="test_an_attack_of_the_user_is_not_sent[chat-reasoning]")
    assert matrix.main(reported(tmp_path, [("1.9.0", cases)])) == 0
    assert page.read_text(encoding="utf-8").endswith("| call | user |\n|---|---|\n| chat | ✓ |\n")


def test_nothing_is_written_where_a_test_failed(tmp_path: Path, page: Path) -> None:
    failed = ("2.0.0", case(more="<failure />"))
    assert matrix.main(reported(tmp_path, [NEW, failed])) == 1
    assert not page.exists()


def test_a_page_that_says_more_or_less_than_the_reports_is_told(
    tmp_path: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    matrix.main(reported(tmp_path, [OLD, NEW]))
    assert matrix.main(["--check", *reported(tmp_path, [OLD, NEW])]) == 0
    assert matrix.main(["--check", *reported(tmp_path, [NEW])]) == 0
    newer = ("1.10.0", case() + case("newer"))
    assert matrix.main(["--check", *reported(tmp_path, [newer])]) == 1
    said = capsys.readouterr().out
    assert "acme: new is in the table, and no test of it passed" in said
    assert "acme: newer passed, and is not in the table" in said


@pytest.mark.parametrize(
    ("version", "more", "status"),
    [
        ("1.11.0", "", 0),
        ("1.11.0", case("new", more=SKIPPED.format(why="this version has no new")), 0),
        ("1.11.0", case("new", more=SKIPPED.format(why="no Java")), 1),
        ("1.11.0", case("typo", more=SKIPPED.format(why="this version has no typo")), 1),
        ("1.11.0", case("newer"), 1),
        ("1.10.0", "", 1),
        ("1.9.0", "", 1),
    ],
)
def test_what_a_newer_version_no_longer_has_is_a_warning(
    tmp_path: Path,
    page: Path,
    capsys: pytest.CaptureFixture[str],
    version: str,
    more: str,
    status: int,
) -> None:
    matrix.main(reported(tmp_path, [OLD, NEW]))
    run = (version, case() + more)
    assert matrix.main(["--check", *reported(tmp_path, [run])]) == status
    warned = "warning: acme: new is in the table" in capsys.readouterr().out
    assert warned == (version == "1.11.0")


def test_a_group_that_the_page_lacks_is_told_by_its_own_name(
    tmp_path: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (report,) = reported(tmp_path, [NEW])
    matrix.main([report])
    text = Path(report).read_text(encoding="utf-8")
    text = text.replace('name="acme"', 'name="acme_async"').replace("test_acme", "test_acme_async")
    other = tmp_path / "async.xml"
    other.write_text(text, encoding="utf-8")
    assert matrix.main(["--check", report, str(other)]) == 1
    assert "acme_async: chat passed, and is not in the table" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("runs", "status"),
    [
        ([("1", case())], 0),
        ([("1", case()), ("2", case(more=SKIPPED.format(why="no Java")))], 0),
        ([("1", case("other", "test_other")), ("2", case(more=SKIPPED.format(why="no Java")))], 1),
        ([("1", LACKING)], 1),
        ([("1", ABSENT), ("2", case())], 0),
        ([("1", ABSENT)], 1),
        ([("1", "")], 1),
        ([("1", case()), ("2", case(more="<failure />"))], 1),
        ([("1", case(more="<error />") + case("other", "test_other"))], 1),
    ],
)
def test_what_failed_or_ran_nowhere_is_told(
    tmp_path: Path, runs: list[tuple[str, str]], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert results.main(reported(tmp_path, runs)) == status
    said = capsys.readouterr().out
    failed = any("<failure" in cases or "<error" in cases for _, cases in runs)
    assert ("failed: " in said) == failed
    assert ("not run: " in said) == (status == 1 and bool(runs[0][1]) and not failed)
    assert ("pip install acme" in said) == (runs == [("1", ABSENT)])


def test_an_older_version_may_lack_what_is_tested(tmp_path: Path) -> None:
    assert results.main(["--older", *reported(tmp_path, [("1", LACKING)])]) == 0
    assert results.main(["--older", *reported(tmp_path, [("1", ABSENT)])]) == 1


def test_nox_and_the_page_know_the_same_groups() -> None:
    folders = (ROOT / "tests" / "adapters", ROOT / "tests" / "frameworks")
    modules = [path.stem for folder in folders for path in folder.glob("test_*.py")]
    found = {groups.group_of(each) for each in modules} - {None}
    assert set(matrix.sections_of(matrix.PAGE.read_text(encoding="utf-8"))) <= {
        *found,
        *(extra for several in groups.SEVERAL.values() for extra in several),
    }
    assert {each for together in groups.TOGETHER.values() for each in together} <= found
    assert groups.group_of("test_litellm_proxy") == "litellm-proxy"
    assert groups.group_of("test_litellm_more") == "litellm"
    assert groups.group_of("test_http") is None


def test_the_page_names_no_shape_that_is_not_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    rows_of = matrix.rows_of(matrix.PAGE.read_text(encoding="utf-8"))
    said = [named for named, newest in rows_of.items() if newest]
    seen = 0
    for path in sorted((ROOT / "tests" / "adapters").glob("test_*.py")):
        name = f"tests.adapters.{path.stem}"
        # One that was skipped while tests were collected stays behind, half imported.
        monkeypatch.delitem(sys.modules, name, raising=False)
        try:
            module = importlib.import_module(name)
        except pytest.skip.Exception:
            continue  # `.ci/run` compares the page with what ran in all its environments
        kinds = [
            each
            for each in vars(module).values()
            if isinstance(each, type) and issubclass(each, Conformance) and "shapes" in vars(each)
        ]
        tested = {str(shape) for kind in kinds for shape in kind.shapes}
        group = path.stem.removeprefix("test_").replace("_", "-")
        # Other modules of the group have rows of their own, named by what they are about.
        others = {
            other.stem.removeprefix(f"{path.stem}_")
            for other in path.parent.glob(f"{path.stem}_*.py")
        }
        rows = {row for about, row in said if about == group} - {matrix.GENERAL}
        rows = {row for row in rows if row.partition(":")[0] not in others}
        assert rows <= tested, f"{group}: python -m tests.matrix build/results/*.xml"
        seen += bool(rows)
    assert seen


@pytest.mark.parametrize("page", ["clients.md", "frameworks.md"])
def test_the_oldest_version_in_the_docs_is_the_lower_bound(page: str) -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    seen = 0
    for row in rows:
        if found := re.search(r"^`([\w-]+)`$", "\n".join(row[:2]), re.MULTILINE):
            extra = found[1].replace("_", "-")  # a framework goes by its module
            wanted = re.search(rf"^{extra} = \[(.+)\]", project, re.MULTILINE)
            assert wanted is not None, extra
            bound = re.findall(r">=([\d.]+)", wanted[1])[-1]
            assert re.findall(r"[\d.]+", row[2])[0] in (bound, f"{bound}.0"), extra
            seen += 1
    assert seen > 6

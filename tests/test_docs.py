"""The README and the site do what they say.

Every Python block runs, by itself, and prints what the `text` block under it shows; a `...` there
stands for what changes from run to run. Blocks with a title are files beside it. Shell blocks:
`test_docs_shell.py`.
"""

import ast
import doctest
import importlib.util
import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import tinyguardrail_sdk
from tests.adapters.replies import REPLIES
from tests.adapters.wire import Wire
from tests.documents import BLOCKS, ROOT, Block, assert_shown, write_files
from tinyguardrail_sdk import Guard, Policy, errors
from tinyguardrail_sdk import guard as guard_module

# Pages whose blocks need servers and models of their own, and the tests that run them: each names
# the section or the adapter that its block is about.
RUN_ELSEWHERE = {
    "clients.md": "adapters/test_*.py",
    "frameworks.md": "frameworks/test_examples.py",
    "corpora.md": "adapters/test_corpora.py",
}
EVERY_PYTHON = [block for block in BLOCKS if block.language == "python"]
PYTHON = [block for block in EVERY_PYTHON if block.page.name not in RUN_ELSEWHERE]


@pytest.fixture(scope="module", autouse=True)
def opened() -> Guard:
    """Keep the network open, so that not every block opens it anew."""
    guard = Guard()
    guard.check("anything")
    return guard


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def vendors(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Let the clients of vendors speak to a server on this machine."""
    with Wire(REPLIES) as wire:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{wire.url}/v1")
        monkeypatch.setenv("ANTHROPIC_BASE_URL", wire.url)
        for vendor in ("OPENAI", "ANTHROPIC"):
            monkeypatch.setenv(f"{vendor}_API_KEY", "none")
        yield wire


def absent_package(code: str) -> str | None:
    """Return a package that a block imports and that is not installed."""
    for node in ast.walk(ast.parse(code)):
        names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            package = name.partition(".")[0]
            if importlib.util.find_spec(package) is None:
                return package
    return None


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_every_python_block_runs_and_prints_what_is_shown(
    block: Block, folder: Path, vendors: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    if (package := absent_package(block.text)) is not None:
        pytest.skip(f"{package} is not installed")
    if ".toml" in block.text and sys.version_info < (3, 11):
        pytest.skip("TOML needs Python 3.11")
    write_files(block.page, folder)
    code = "\n" * (block.line - 1) + block.text  # tracebacks name the line of the page
    exec(compile(code, str(block.page), "exec"), {"__name__": "__main__"})
    assert_shown(block, capsys.readouterr().out)


@pytest.mark.parametrize("page", RUN_ELSEWHERE)
def test_blocks_that_run_elsewhere_do(page: str) -> None:
    blocks = [block for block in EVERY_PYTHON if block.page.name == page and not block.title]
    sections = [block.section for block in blocks]
    assert sections
    assert len(sections) == len(set(sections)), "the tests run one block a section"
    modules = list((ROOT / "tests").glob(RUN_ELSEWHERE[page]))
    code = "".join(module.read_text(encoding="utf-8") for module in modules)
    for section in sections:
        assert f'"{section}"' in code or f'"{section.split()[0].lower()}"' in code, section


def test_every_other_block_is_looked_at() -> None:
    for block in BLOCKS:
        if block.language in ("json", "toml", "yaml"):
            assert block.title.endswith(block.language), f"{block}: name the file, so it is loaded"
        elif block.language == "text":
            seen = block.is_output or block.title or block.page.name == "architecture.md"
            assert seen, f"{block}: no output of the block above, and no file"
        else:
            assert block.language in ("python", "bash"), f"{block}: no test knows {block.language}"


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.title], ids=str)
def test_every_file_that_is_shown_can_be_read(block: Block, folder: Path) -> None:
    write_files(block.page, folder)
    if block.title.endswith(".jsonl"):
        assert all(json.loads(line) for line in block.text.splitlines())
    elif block.title.endswith(".toml"):
        if sys.version_info < (3, 11):
            pytest.skip("TOML needs Python 3.11")
        assert Policy.load(block.title) != Policy()
    elif block.title.endswith(".yaml"):
        assert yaml.safe_load(block.text)
    else:  # its own test runs it, or a command reads it
        blocks = [each for each in BLOCKS if each.page == block.page and each != block]
        assert block.language == "python" or any(block.title in each.text for each in blocks)


def test_examples_in_docstrings_print_what_is_shown() -> None:
    results = doctest.testmod(guard_module)
    assert results.attempted
    assert not results.failed


def test_the_reference_has_every_public_name() -> None:
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\w+", reference))
    for name in set(tinyguardrail_sdk.__all__) - {"__version__"}:
        in_errors = hasattr(errors, name) and ".errors\n" in reference
        assert in_errors or name in named, name


def test_the_tables_of_settings_have_every_setting_and_its_default() -> None:
    page = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    tables = page.partition("## All settings\n")[2].partition("\n## ")[0]
    shown = re.findall(r"^\| `(\w+)` \| `(.+?)` \|", tables, re.MULTILINE)
    fields = {name: field.default for name, field in Policy.model_fields.items()}
    arguments = inspect.signature(Guard).parameters.values()
    given = {each.name: each.default for each in arguments if each.kind is not each.VAR_KEYWORD}
    expected = [*fields.items(), *given.items()]
    assert [(name, ast.literal_eval(default)) for name, default in shown] == expected


def test_links_of_the_readme_lead_somewhere() -> None:
    content = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)#?([^)]*)\)", content)
    assert links
    for target, anchor in links:
        page = (ROOT / target).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.+)", page, re.MULTILINE)
        anchors = {re.sub(r"\W+", "-", heading.lower()) for heading in headings}
        assert not anchor or anchor in anchors, f"{target}#{anchor}"

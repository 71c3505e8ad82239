"""The README and the site do what they say.

Every Python block runs, by itself, and prints what the `text` block under it shows; a `...` there
stands for what changes from run to run. Blocks with a title are files beside it. Of shell blocks
every command of this package must parse, and where an output is shown, the block is run.
"""

import ast
import doctest
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pytest

import tinyguardrail_sdk
from tests.adapters.replies import REPLIES
from tests.adapters.wire import Wire
from tinyguardrail_sdk import Guard, errors
from tinyguardrail_sdk import guard as guard_module
from tinyguardrail_sdk.cli.parser import build_parser

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"^( *)```(\w*)(.*)\n((?:.*\n)*?)\1```$", re.MULTILINE)
# In place of the installed command, that of this checkout; what installs has nothing to do.
SHELL = 'tinyguardrail() { "$PYTHON" -m tinyguardrail_sdk "$@"; }\npip() { :; }\n'


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: The file that it is in.
        line: Line of its first character there, from 1.
        title: Name of the file that it shows; empty for others.
        output: What the block right below it shows as its output, where there is one.
    """

    page: Path
    line: int
    language: str
    title: str
    text: str
    output: str | None

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def plain(fence: re.Match[str]) -> str:
    """Return the text in a block, without the indent of its fences."""
    return "".join(line.removeprefix(fence[1]) for line in fence[4].splitlines(keepends=True))


def blocks_of(page: Path) -> Iterator[Block]:
    content = page.read_text(encoding="utf-8")
    found = list(FENCED.finditer(content))
    for fence, below in zip_longest(found, found[1:]):
        between = content[fence.end() : below.start()] if below else "no block"
        shown = not between.strip() and below[2] == "text" and not below[3]
        yield Block(
            page=page,
            line=content.count("\n", 0, fence.start(4)) + 1,
            language=fence[2],
            title="".join(re.findall(r'title="(.+?)"', fence[3])),
            text=plain(fence),
            output=plain(below) if shown else None,
        )


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
# These need servers and models of their own: the tests of the adapters run them.
RUN_ELSEWHERE = {"clients.md", "frameworks.md", "corpora.md"}
PYTHON = [
    block for block in BLOCKS if block.language == "python" and block.page.name not in RUN_ELSEWHERE
]
COMMANDS = [block for block in BLOCKS if block.language == "bash"]


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


def write_files(page: Path, folder: Path) -> None:
    for block in BLOCKS:
        if block.page == page and block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")


def assert_shown(block: Block, printed: str) -> None:
    shown = block.output or ""
    matches = doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS)
    assert matches, f"{block} shows\n{shown}\nand prints\n{printed}"


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


def commands_in(block: Block) -> Iterator[list[str]]:
    """Yield the words of each command of a shell block, without comments and redirections."""
    for line in block.text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in lexer:
            if set(word) <= set("|&;()<>"):
                yield words
                words = [">"] if word in (">", ">>", "<") else []
            else:
                words.append(word)
        yield words


def own_words(command: Sequence[str]) -> list[str] | None:
    """Return the arguments of a `tinyguardrail` command, however it is started."""
    for name in ("tinyguardrail", "tinyguardrail_sdk"):
        if name in command:
            return list(command[command.index(name) + 1 :])
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


def parses(words: Sequence[str]) -> bool:
    try:
        build_parser(words).parse_args(words)
    except SystemExit as stop:
        return not stop.code  # 0 after --help
    return True


@pytest.mark.parametrize("block", COMMANDS, ids=str)
def test_every_command_exists(block: Block) -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for command in commands_in(block):
        if "pip" in command:
            named = re.findall(r"\[([a-z,]+)\]", " ".join(command))
            extras = [extra for each in named for extra in each.split(",")]
            assert all(f"\n{extra} = [" in project for extra in extras)
        if command[:2] == ["python", "-m"]:
            assert importlib.util.find_spec(command[2]) is not None
        words = own_words(command)
        if words and "…" not in words:  # which stands for what was said before
            assert parses(words), shlex.join(command)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize("block", [each for each in COMMANDS if each.output], ids=str)
def test_every_shell_block_prints_what_is_shown(block: Block, folder: Path) -> None:
    write_files(block.page, folder)
    environment = {**os.environ, "PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", SHELL + block.text], capture_output=True, text=True, env=environment
    )
    assert_shown(block, done.stdout)


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


def test_links_of_the_readme_lead_somewhere() -> None:
    content = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)#?([^)]*)\)", content)
    assert links
    for target, anchor in links:
        page = (ROOT / target).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.+)", page, re.MULTILINE)
        anchors = {re.sub(r"\W+", "-", heading.lower()) for heading in headings}
        assert not anchor or anchor in anchors, f"{target}#{anchor}"

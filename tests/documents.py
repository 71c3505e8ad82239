"""The fenced blocks of the README and of the pages under `docs`."""

import doctest
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_FENCED = re.compile(r"^( *)```(\w*)(.*)\n((?:.*\n)*?)\1```$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: The file that it is in.
        line: Line of its first character there, from 1.
        section: The heading that it stands under, of the second level.
        title: Name of the file that it shows; empty for others.
        output: What the block right below it shows as its output, where there is one.
        is_output: Whether it is one itself.
    """

    page: Path
    line: int
    section: str
    language: str
    title: str
    text: str
    output: str | None
    is_output: bool

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page, in order."""
    content = page.read_text(encoding="utf-8")
    found = list(_FENCED.finditer(content))
    is_output = False
    for fence, below in zip_longest(found, found[1:]):
        between = content[fence.end() : below.start()] if below else "no block"
        shown = not between.strip() and below[2] == "text" and not below[3]
        headings = re.findall(r"^## (.+)", content[: fence.start()], re.MULTILINE)
        yield Block(
            page=page,
            line=content.count("\n", 0, fence.start(4)) + 1,
            section=headings[-1] if headings else "",
            language=fence[2],
            title="".join(re.findall(r'title="(.+?)"', fence[3])),
            text=_plain(fence),
            output=_plain(below) if shown else None,
            is_output=is_output,
        )
        is_output = shown


def _plain(fence: re.Match[str]) -> str:
    """Return the text in a block, without the indent of its fences."""
    return "".join(line.removeprefix(fence[1]) for line in fence[4].splitlines(keepends=True))


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def write_files(page: Path, folder: Path) -> None:
    """Write the files that a page shows."""
    for block in BLOCKS:
        if block.page == page and block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")


def assert_shown(block: Block, printed: str) -> None:
    """Compare what a block printed with its output."""
    shown = block.output or ""
    matches = doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS)
    assert matches, f"{block} shows\n{shown}\nand prints\n{printed}"

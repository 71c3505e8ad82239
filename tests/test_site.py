"""The pages read well where they are built, as the site, and where nothing builds them."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.documents import PAGES, ROOT

PLACES = [
    (page, name, below)
    for page in PAGES
    for name, below in re.findall(
        r"^<!-- README part (\w+) -->\n(.+)$", page.read_text(encoding="utf-8"), re.MULTILINE
    )
]


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_parts", ROOT / ".ci" / "site_parts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_shows_what_only_the_site_understands(page: Path) -> None:
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        assert not re.match(r"\s*(-+8<-+|!!!|\?\?\?)", line), f"{page.name}:{number}: {line}"


def test_every_part_of_the_readme_has_its_place() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    parts = re.findall(r"<!-- part (\w+) -->", readme)
    assert parts
    assert sorted(parts) == sorted(name for _, name, _ in PLACES)


@pytest.mark.parametrize(("page", "name", "below"), PLACES)
def test_a_place_links_to_its_part_and_the_site_shows_it(
    hook: ModuleType, page: Path, name: str, below: str
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    part = readme.partition(f"<!-- part {name} -->\n")[2].partition(f"<!-- end {name} -->")[0]
    heading = re.findall(r"^## (.+)$", readme.partition(part)[0], re.MULTILINE)[-1]
    assert f"](../README.md#{heading.lower()})" in below
    shown = hook.on_page_markdown(page.read_text(encoding="utf-8"))
    assert part in shown
    assert below not in shown
    assert "README part" not in shown


def test_a_part_that_is_not_there_ends_the_build(hook: ModuleType) -> None:
    with pytest.raises(KeyError):
        hook.on_page_markdown("<!-- README part absent -->\nA link.\n")

"""A hook of MkDocs: on the site, parts of the README stand where the pages only link to them.

In the README a part stands between `<!-- part NAME -->` and `<!-- end NAME -->`. In a page a line
`<!-- README part NAME -->` gives way to it, together with the line below, which is what is read
where nothing builds the page, as on GitHub. So figures stand once.
"""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
_PART = re.compile(r"^<!-- part (\w+) -->\n(.*?)^<!-- end \1 -->$", re.MULTILINE | re.DOTALL)
_PLACE = re.compile(r"^<!-- README part (\w+) -->\n.+$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put the parts in their places; a part that the README lacks ends the build."""
    parts = dict(_PART.findall(README.read_text(encoding="utf-8")))
    return _PLACE.sub(lambda place: parts[place[1]], markdown)

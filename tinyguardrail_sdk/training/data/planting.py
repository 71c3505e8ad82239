"""Putting an instruction into a document, as the document's format allows."""

from __future__ import annotations

import html
import json
import random
import re
from collections.abc import Callable

from tinyguardrail_sdk.training.data.carriers import Carrier

Span = tuple[int, int]
_Place = tuple[int, int, str, str]  # replace text[start:end] by prefix + instruction + suffix

_JSON_STRING = re.compile(r'(?<=[:\[,]) ?"((?:[^"\\]|\\.){3,})"(?!\s*:)')
_TEXT_NODE = re.compile(r">([^<>]{4,})<")
_TAG_END = re.compile(r">(?=\s*<)")
_CELL = re.compile(r"(?<=\| )([^|\n]*?)(?= \|)")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+(?=\S)")
_YAML_VALUE = re.compile(r"^(?P<key>\s*(?:- )?\w+: )(?P<value>\S.*)$", re.MULTILINE)
_LINE_LEAD = re.compile(
    r"^(\S*\d\d:\d\d\S* (?:[A-Z]+ )?|\[[^\]]{3,20}\] (?:\w+: )?|\w{2,12}: |[A-Z]+:\w+: )"
)


def plant(carrier: Carrier, instruction: str, rng: random.Random) -> tuple[str, Span]:
    """Put an instruction into a document, as its format allows.

    Args:
        carrier: The clean document.
        instruction: What to plant; escaped where the format needs it.
        rng: Draws the place.

    Returns:
        The new text and the characters in which the instruction stands.
    """
    text = carrier.text
    escape = _ESCAPES.get(carrier.format, _as_is)
    place = _PLACES.get(carrier.format, _in_prose)(text, rng)
    if place is None:
        place, escape = _in_prose(text, rng), _as_is
    return _put(text, escape(instruction), place)


def plant_between(carrier: Carrier, instruction: str, rng: random.Random) -> tuple[str, Span]:
    """Put an instruction after one of a short text's sentences, often as a paragraph of its own."""
    text = carrier.text.rstrip()
    joint = rng.choice((" ", " ", "\n", "\n\n"))
    gaps = [match.span() for match in _SENTENCE_END.finditer(text)]
    place: _Place = (len(text), len(text), joint, "")
    if gaps and rng.random() < 0.75:
        place = (*rng.choice(gaps), joint, joint)
    return _put(text, instruction, place)


def plant_along(carrier: Carrier, instruction: str, rng: random.Random) -> tuple[str, Span]:
    """Put an instruction at the start, in the middle or at the end of a long text."""
    text = carrier.text.rstrip()
    joint = rng.choice((" ", "\n", "\n\n"))
    third = rng.randrange(3)
    if third == 0:
        return _put(text, instruction, (0, 0, "", joint))
    if third == 1:
        low, high = len(text) // 4, 3 * len(text) // 4
        gaps = [m.span() for m in _SENTENCE_END.finditer(text, low, high)]
        if gaps:
            return _put(text, instruction, (*rng.choice(gaps), joint, joint))
    return _put(text, instruction, (len(text), len(text), joint, ""))


def _put(text: str, planted: str, place: _Place) -> tuple[str, Span]:
    start, end, before, after = place
    at = start + len(before)
    return text[:start] + before + planted + after + text[end:], (at, at + len(planted))


def _as_is(text: str) -> str:
    return text


def _for_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _for_html(text: str) -> str:
    return html.escape(text, quote=False)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _in_prose(text: str, rng: random.Random) -> _Place:
    """At the start, the end, on a line of its own, or between two sentences."""
    draw = rng.random()
    joint = rng.choice((" ", "\n", "\n", "\n\n"))
    if draw < 0.2:
        return 0, 0, "", joint
    if draw < 0.45:
        end = len(text.rstrip())
        return end, end, joint, ""
    lines = [i for i, char in enumerate(text) if char == "\n"]
    if draw < 0.7 and lines:
        at = rng.choice(lines)
        return at, at, rng.choice(("\n", "\n", "\n\n", " ")), ""
    gaps = [match.start() for match in _SENTENCE_END.finditer(text)]
    at = rng.choice(gaps) if gaps else len(text)
    return at, at, " ", ""


def _in_json(text: str, rng: random.Random) -> _Place | None:
    values = [m.span(1) for m in _JSON_STRING.finditer(text)]
    if not values:
        return None
    # Long values are prose, where readers and attackers write.
    start, end = rng.choices(values, [min(b - a, 200) for a, b in values])[0]
    draw = rng.random()
    if draw < 0.2:
        return start, end, "", ""
    if draw < 0.45:
        return start, start, "", rng.choice((" ", "\\n"))
    if draw < 0.6:
        key = rng.choice(("note", "comment", "message", "info", "hint", "remark", "details"))
        return end + 1, end + 1, f', "{key}": "', '"'
    gaps = [m.start() for m in _SENTENCE_END.finditer(text, start, end)]
    at = rng.choice(gaps) if gaps and draw < 0.8 else end
    return at, at, rng.choice((" ", " ", "\\n", "\\n\\n")), ""


def _in_html(text: str, rng: random.Random) -> _Place | None:
    draw = rng.random()
    if draw < 0.35:
        seams = [m.end() for m in _TAG_END.finditer(text)]
        if not seams:
            return None
        at = rng.choice(seams)
        before, after = rng.choice(_HTML_WRAPS)
        return at, at, before, after
    nodes = [m.span(1) for m in _TEXT_NODE.finditer(text)]
    if not nodes:
        return None
    start, end = rng.choice(nodes)
    if draw < 0.5:
        return start, end, "", ""
    return (start, start, "", " ") if draw < 0.7 else (end, end, " ", "")


_HTML_WRAPS = (
    ("<p>", "</p>"), ("<li>", "</li>"), ("<!-- ", " -->"), ("<!--", "-->"), ("<div>", "</div>"),
    ('<span style="display:none">', "</span>"), ('<div style="font-size:0">', "</div>"),
    ("<td>", "</td>"), ('<img src="/img/1.png" alt="', '">'), ("<note>", "</note>"),
)  # fmt: skip


def _in_grid(text: str, rng: random.Random) -> _Place | None:
    draw = rng.random()
    if draw < 0.35:
        return _in_prose(text, rng)
    cells = [m.span(1) for m in _CELL.finditer(text) if not m[1].startswith("--")]
    if not cells:
        return None
    start, end = rng.choice(cells)
    if draw < 0.65:
        return start, end, "", ""
    return end, end, " ", ""


def _in_csv(text: str, rng: random.Random) -> _Place | None:
    draw = rng.random()
    if draw < 0.35:
        return _in_prose(text, rng)
    mark = next((m for m in ("\t", ";", ",") if m in text.partition("\n")[0]), "")
    ends = [m.start() for m in re.finditer(r"\n|$", text)][1:]
    if not mark or not ends:
        return None
    at = rng.choice(ends)
    if draw < 0.6:
        return at, at, f'{mark}"', '"'
    return at, at, '\n"', f'"{mark}' + mark.join(rng.choice(("", "-")) for _ in range(2))


def _in_yaml(text: str, rng: random.Random) -> _Place | None:
    values = [m.span("value") for m in _YAML_VALUE.finditer(text)]
    if not values:
        return None
    start, end = rng.choices(values, [min(b - a, 200) for a, b in values])[0]
    quoted = text[end - 1] == '"'
    draw = rng.random()
    if draw < 0.25:
        return start, end, "", ""
    if draw < 0.4:
        return end, end, rng.choice(("\n  note: ", "\n  comment: ", "  # ")), ""
    return end - quoted, end - quoted, " ", ""


def _in_lines(text: str, rng: random.Random) -> _Place | None:
    """As one more entry that looks like its neighbours, or at the end of an entry."""
    lines = text.split("\n")
    index = rng.randrange(len(lines))
    end = len("\n".join(lines[: index + 1]))
    if rng.random() < 0.5:
        return end, end, " ", ""
    lead = _LINE_LEAD.match(lines[index])
    return end, end, "\n" + (lead[1] if lead else ""), ""


_COMMENT_WRAPS = (("# ", ""), ("// ", ""), ("/* ", " */"), ("-- ", ""), ('"""', '"""'), ("", ""))


def _in_code(text: str, rng: random.Random) -> _Place:
    lines = text.split("\n")
    index = rng.randrange(len(lines) + 1)
    at = len("\n".join(lines[:index]))
    fitting = [w for w in _COMMENT_WRAPS[:4] if w[0].strip() in text]
    before, after = rng.choice(fitting or _COMMENT_WRAPS)
    if rng.random() < 0.3:
        before, after = rng.choice((("", ""), ("\n", "\n"), ('print("', '")'), ("TODO: ", "")))
    nextline = "\n" if index == 0 else ""
    indent = re.match(r"\s*", lines[min(index, len(lines) - 1)])
    lead = "" if index == 0 else "\n" + (indent[0] if indent else "")
    return at, at, lead + before, after + nextline


_PLACES: dict[str, Callable[[str, random.Random], _Place | None]] = {
    "prose": _in_prose,
    "json": _in_json,
    "html": _in_html,
    "grid": _in_grid,
    "csv": _in_csv,
    "yaml": _in_yaml,
    "lines": _in_lines,
    "code": _in_code,
}
_ESCAPES: dict[str, Callable[[str], str]] = {
    "json": _for_json,
    "html": _for_html,
    "grid": _on_one_line,
    "csv": _on_one_line,
    "yaml": _on_one_line,
    "lines": _on_one_line,
    "code": _on_one_line,
}


def format_of(text: str) -> str:
    """How a collected text is written, told by its first characters and marks."""
    head = text.lstrip()[:2000]
    if head[:1] in "{[" and '"' in head:
        return "json"
    if head.startswith("|") or head.count("\n| ") > 2:
        return "grid"
    if head.startswith("<") and head.count("</") > 1:
        return "html"
    code_marks = sum(head.count(m) for m in ("();", ") {", "):\n", "#include", "import ", " = "))
    return "code" if code_marks >= 3 else "prose"

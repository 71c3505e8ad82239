"""Lists of records as tools write them: JSON, YAML, tables, blocks, lines.

A notation draws its layout once, then writes lists and escapes what is put into a string of theirs
that is already written.
"""

from __future__ import annotations

import csv
import html
import io
import json
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType

Value = str | int | bool | list[str]
Item = dict[str, Value]
Escape = Callable[[str], str]
Notation = tuple[Callable[[list[Item]], str], Escape]

_PLAIN_CHARS = 60  # a YAML string up to here goes without quotes if nothing in it needs them
_INDENT = " " * 4


def _json(rng: random.Random) -> Notation:
    indent = rng.choice((None, 2, 4))
    around = rng.choice(("", "", "results", "data", "items", "output"))

    def write(items: list[Item]) -> str:
        whole: object = {"status": "ok", around: items} if around else items
        return json.dumps(whole, indent=indent, ensure_ascii=False)

    return write, lambda text: json.dumps(text, ensure_ascii=False)[1:-1]


def _json_lines(rng: random.Random) -> Notation:
    _, escape = _json(rng)
    return lambda items: "\n".join(json.dumps(item, ensure_ascii=False) for item in items), escape


def _python(rng: random.Random) -> Notation:
    def escape(text: str) -> str:
        return text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")

    def literal(value: Value) -> str:
        if isinstance(value, list):
            return "[" + ", ".join(map(literal, value)) + "]"
        return f"'{escape(value)}'" if isinstance(value, str) else str(value)

    opening = rng.choice(("{", "Record(", "dict("))
    inside, close = ("'{}': {}", "}") if opening == "{" else ("{}={}", ")")

    def one(item: Item) -> str:
        fields = (inside.format(name, literal(value)) for name, value in item.items())
        return opening + ", ".join(fields) + close

    return lambda items: "[" + ", ".join(map(one, items)) + "]", escape


def _yaml(rng: random.Random) -> Notation:
    def single(text: str) -> str:
        return text.replace("'", "''").replace("\n", "\n\n" + _INDENT)

    def double(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)[1:-1]

    def block(text: str) -> str:
        return text.replace("\n", "\n" + _INDENT)

    layouts: tuple[tuple[Escape, Escape], ...] = (
        (lambda text: f"'{single(text)}'", single),
        (lambda text: f'"{double(text)}"', double),
        (lambda text: f"|-\n{_INDENT}{block(text)}", block),
    )
    quote, escape = rng.choice(layouts)

    def scalar(value: Value) -> str:
        if isinstance(value, list):
            return "".join(f"\n  - {each}" for each in value) or " []"
        if isinstance(value, bool):
            return " " + str(value).lower()
        if isinstance(value, int):
            return f" {value}"
        plain = len(value) <= _PLAIN_CHARS and value.replace(" ", "").replace("-", "").isalnum()
        return f" {value}" if plain else f" {quote(value)}"

    def write(items: list[Item]) -> str:
        blocks = ["\n  ".join(f"{k}:{scalar(v)}" for k, v in item.items()) for item in items]
        return "\n".join(f"- {each}" for each in blocks)

    return write, escape


def _blocks(rng: random.Random) -> Notation:
    joint = rng.choice(("\n\n", "\n---\n", "\n\n===\n\n", "\n\n"))
    title = rng.random() < 0.5

    def one(item: Item) -> str:
        names = {name: name.replace("_", " ").capitalize() if title else name for name in item}
        return "\n".join(f"{names[name]}: {_flat(value)}" for name, value in item.items())

    return lambda items: joint.join(map(one, items)), _unchanged


def _numbered(rng: random.Random) -> Notation:
    mark = rng.choice((". ", ") ", ": "))
    joint = rng.choice((" - ", " | ", "\n   ", ", "))

    def write(items: list[Item]) -> str:
        lines = (joint.join(map(_flat, item.values())) for item in items)
        return "\n".join(f"{n}{mark}{line}" for n, line in enumerate(lines, 1))

    return write, _unchanged


def _grid(rng: random.Random) -> Notation:
    def escape(text: str) -> str:
        return " ".join(text.split()).replace("|", "\\|")

    def write(items: list[Item]) -> str:
        rows = [list(items[0]), ["---"] * len(items[0])]
        rows += [[escape(_flat(value)) for value in item.values()] for item in items]
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)

    return write, escape


def _csv(rng: random.Random) -> Notation:
    mark = rng.choice((",", ",", ";", "\t"))

    def write(items: list[Item]) -> str:
        out = io.StringIO()
        rows = csv.writer(out, delimiter=mark, quoting=csv.QUOTE_ALL, lineterminator="\n")
        rows.writerow(items[0])
        rows.writerows([_flat(value) for value in item.values()] for item in items)
        return out.getvalue().rstrip("\n")

    return write, lambda text: text.replace('"', '""')


def _xml(rng: random.Random) -> Notation:
    outer, inner = rng.choice((("results", "item"), ("response", "entry"), ("rows", "row")))

    def escape(text: str) -> str:
        return html.escape(text, quote=False)

    def one(item: Item) -> str:
        fields = "".join(f"\n    <{n}>{escape(_flat(v))}</{n}>" for n, v in item.items())
        return f"  <{inner}>{fields}\n  </{inner}>"

    def write(items: list[Item]) -> str:
        return f"<{outer}>\n" + "\n".join(map(one, items)) + f"\n</{outer}>"

    return write, escape


def _flat(value: Value) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _unchanged(text: str) -> str:
    return text


NOTATIONS: Mapping[str, Callable[[random.Random], Notation]] = MappingProxyType(
    {
        "json": _json,
        "json_lines": _json_lines,
        "python": _python,
        "yaml": _yaml,
        "blocks": _blocks,
        "numbered": _numbered,
        "grid": _grid,
        "csv": _csv,
        "xml": _xml,
    }
)

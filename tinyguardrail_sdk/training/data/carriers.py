"""Clean documents and tool results in many formats, grown from a grammar.

They are benign as they are, and the places into which `twins` plants instructions.
"""

from __future__ import annotations

import csv
import html
import io
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.schema import Example


@dataclass(frozen=True, slots=True)
class Carrier:
    """A clean text with the facts that planting needs.

    Attributes:
        text: The document.
        format: How it is written; decides where and how an instruction is put into it.
        source: Document or tool.
        family: Split key.
        language: ISO 639-1 code.
        terms: Licence group of the text.
    """

    text: str
    format: str
    source: Source
    family: str
    language: str = "en"
    terms: str = "own"


@cache
def _grammar() -> Grammar:
    return Grammar.load("benign_vocab", "carriers", "snippets")


def phrase(rng: random.Random, symbol: str) -> str:
    """One text from the carriers' grammar."""
    return _grammar().grow(rng, symbol).text


def _length(rng: random.Random, mean: float, most: int) -> int:
    """One and more, short ones often: documents in the wild have a long tail."""
    return min(most, 1 + int(rng.expovariate(1 / mean)))


def _sentences(rng: random.Random, mean: float = 3, most: int = 12) -> str:
    return " ".join(phrase(rng, "sentence") for _ in range(_length(rng, mean, most)))


def _prose(rng: random.Random) -> str:
    return "\n\n".join(_sentences(rng) for _ in range(_length(rng, 1, 4)))


def _note(rng: random.Random) -> str:
    return phrase(rng, "sentence")


def _email(rng: random.Random) -> str:
    lines = []
    if rng.random() < 0.7:
        lines += [f"From: {phrase(rng, 'fullname')} <{phrase(rng, 'mailbox')}>"]
        lines += [f"To: {phrase(rng, 'mailbox')}"] if rng.random() < 0.7 else []
        lines += [f"Date: {phrase(rng, 'date')}"] if rng.random() < 0.5 else []
        lines += [f"Subject: {phrase(rng, 'subjectline')}", ""]
    elif rng.random() < 0.5:
        lines += [f"Subject: {phrase(rng, 'subjectline')}", ""]
    lines += [phrase(rng, "greeting"), "", _prose(rng), "", phrase(rng, "signoff")]
    return "\n".join(lines)


def _markdown(rng: random.Random) -> str:
    parts = [f"# {phrase(rng, rng.choice(('project', 'topic', 'heading'))).capitalize()}"]
    for _ in range(_length(rng, 1.5, 4)):
        parts.append(f"## {phrase(rng, 'heading')}")
        if rng.random() < 0.5:
            parts.append(_sentences(rng, 2))
            continue
        mark = rng.choice(("- ", "* ", "1. ", "- [ ] "))
        items = [phrase(rng, "sentence") for _ in range(_length(rng, 3, 7))]
        parts.append("\n".join(mark + item for item in items))
    if rng.random() < 0.25:
        parts.append(f"```\n{phrase(rng, 'snippet:shell')}\n```")
    return "\n\n".join(parts)


def _html(rng: random.Random) -> str:
    title = html.escape(phrase(rng, rng.choice(("subjectline", "project", "topic"))))
    body = []
    for _ in range(_length(rng, 2, 6)):
        tag = rng.choice(("p", "p", "p", "li", "div", "td", "span", "blockquote"))
        body.append(f"<{tag}>{html.escape(_sentences(rng, 1, 4), quote=False)}</{tag}>")
        if rng.random() < 0.2:
            body.append(f"<!-- {phrase(rng, 'remark')} -->")
        if rng.random() < 0.15:
            body.append(f'<img src="/img/{rng.randint(1, 99)}.jpg" alt="{phrase(rng, "product")}">')
        if rng.random() < 0.12:
            hidden = rng.choice(("display:none", "font-size:0", "color:#fff", "opacity:0"))
            body.append(f'<div style="{hidden}">{html.escape(_note(rng), quote=False)}</div>')
    inner = rng.choice(("\n", "")).join(body)
    if rng.random() < 0.5:
        return inner
    return f"<html><head><title>{title}</title></head><body><h1>{title}</h1>{inner}</body></html>"


def _value(rng: random.Random, key: str) -> object:
    if key in ("price", "rating"):
        return round(rng.uniform(1, 900 if key == "price" else 5), 2)
    symbol = {
        "name": "fullname", "owner": "fullname", "author": "fullname", "city": "city",
        "country": "country", "location": "place", "date": "date", "email": "mailbox",
        "title": "subjectline",
    }.get(key)  # fmt: skip
    if symbol:
        return phrase(rng, symbol)
    if key in ("status", "priority", "type", "category"):
        return rng.choice(("open", "done", "high", "low", "standard", "express", "draft", "active"))
    return _sentences(rng, 1, 5)


def _record(rng: random.Random) -> dict[str, object]:
    keys = list(dict.fromkeys(phrase(rng, "label") for _ in range(rng.randint(3, 7))))
    record: dict[str, object] = {"id": rng.randint(1, 99999)} if rng.random() < 0.6 else {}
    record.update((key, _value(rng, key)) for key in keys)
    text_key = rng.choice(("description", "comment", "note", "body", "content", "message", "text"))
    record[text_key] = _sentences(rng, 2, 8)
    return record


def _payload(rng: random.Random) -> object:
    records = [_record(rng) for _ in range(_length(rng, 1, 4))]
    if rng.random() < 0.4:
        return records[0]
    if rng.random() < 0.5:
        return records
    key = rng.choice(("results", "items", "data", "messages", "tickets", "files"))
    return {"status": rng.choice(("ok", "success", 200)), key: records}


def _json(rng: random.Random) -> str:
    indent = rng.choice((None, None, 1, 2, 4))
    return json.dumps(_payload(rng), indent=indent, ensure_ascii=False)


def _yaml(rng: random.Random) -> str:
    lines = []
    for _ in range(_length(rng, 1, 4)):
        for i, (key, value) in enumerate(_record(rng).items()):
            shown = json.dumps(value) if isinstance(value, str) and ": " in value else value
            lines.append(f"{'- ' if i == 0 else '  '}{key}: {shown}")
    return "\n".join(lines)


def _xml(rng: random.Random) -> str:
    item = rng.choice(("item", "entry", "record", "result"))
    rows = []
    for _ in range(_length(rng, 1, 4)):
        cells = "".join(
            f"<{key}>{html.escape(str(value), quote=False)}</{key}>"
            for key, value in _record(rng).items()
        )
        rows.append(f"<{item}>{cells}</{item}>")
    name = rng.choice(("response", "results", "feed"))
    joint = rng.choice(("\n", ""))
    return f"<{name}>{joint}{joint.join(rows)}{joint}</{name}>"


def _table(rng: random.Random) -> list[list[str]]:
    symbols = rng.sample(
        ("fullname", "city", "country", "product", "date", "money", "department", "time", "job",
         "statement", "mailbox", "topic", "dish", "company"), rng.randint(2, 6),
    )  # fmt: skip
    head = [rng.choice((s, s.capitalize(), s.upper())) for s in symbols]
    count = rng.randint(2, 14)
    return [head, *([phrase(rng, symbol) for symbol in symbols] for _ in range(count))]


def _grid(rng: random.Random) -> str:
    head, *rows = _table(rng)
    lines = [f"| {' | '.join(head)} |"]
    if rng.random() < 0.7:
        lines.append("|" + "---|" * len(head))
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def _csv(rng: random.Random) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=rng.choice(",,;\t"), lineterminator="\n").writerows(_table(rng))
    return out.getvalue().rstrip("\n")


def _code(rng: random.Random) -> str:
    symbol = rng.choice([s for s in _grammar().symbols("snippet:") if s != "snippet:config"])
    text = "\n\n".join(phrase(rng, symbol) for _ in range(_length(rng, 0.8, 4)))
    if rng.random() < 0.35:
        return f"{_sentences(rng, 1, 4)}\n```{symbol.split(':')[1]}\n{text}\n```\n{_note(rng)}"
    return text


def _config(rng: random.Random) -> str:
    return "\n".join(phrase(rng, "snippet:config") for _ in range(_length(rng, 0.7, 3)))


def _log(rng: random.Random) -> str:
    hour, minute, style = rng.randrange(24), rng.randrange(60), rng.randrange(3)
    lines = []
    for _ in range(rng.randint(2, 14)):
        minute = (minute + rng.randint(0, 3)) % 60
        level = rng.choice(("INFO", "INFO", "WARN", "ERROR", "DEBUG"))
        stamp = f"{hour:02}:{minute:02}:{rng.randrange(60):02}"
        lead = (f"2025-{rng.randint(1, 9):02}-{rng.randint(10, 28)} {stamp} {level}", f"[{stamp}]",
                f"{level}:{rng.choice(('app', 'db', 'web', 'auth'))}:")[style]  # fmt: skip
        lines.append(f"{lead} {phrase(rng, 'logmessage')}")
    return "\n".join(lines)


def _chat(rng: random.Random) -> str:
    people = [phrase(rng, "first") for _ in range(rng.randint(2, 4))]
    stamped = rng.random() < 0.4
    lines = []
    for _ in range(rng.randint(3, 12)):
        stamp = f"[{rng.randint(8, 20)}:{rng.randrange(60):02}] " if stamped else ""
        said = phrase(rng, rng.choice(("chat", "sentence")))
        lines.append(f"{stamp}{rng.choice(people)}: {said}")
    return "\n".join(lines)


def _calendar(rng: random.Random) -> str:
    lines = []
    for _ in range(rng.randint(1, 7)):
        place = f" @ {phrase(rng, 'place')}" if rng.random() < 0.5 else ""
        note = f" ({phrase(rng, 'sentence')})" if rng.random() < 0.3 else ""
        when = f"{phrase(rng, 'date')} {phrase(rng, 'time')}"
        lines.append(f"{when}: {phrase(rng, 'calendar')}{place}{note}")
    return "\n".join(lines)


def _reviews(rng: random.Random) -> str:
    blocks = []
    for _ in range(_length(rng, 2, 6)):
        stars = rng.choice(("★" * rng.randint(1, 5), f"{rng.randint(1, 5)}/5", "Rating: 4.5"))
        blocks.append(f"{stars} {phrase(rng, 'first')}, {phrase(rng, 'date')}\n"
                      f"{phrase(rng, 'review')}")  # fmt: skip
    return "\n\n".join(blocks)


def _search(rng: random.Random) -> str:
    blocks = []
    for number in range(1, rng.randint(3, 7)):
        title, url = phrase(rng, "topic").capitalize(), phrase(rng, "url")
        blocks.append(f"{number}. {title} - {phrase(rng, 'company')}\n{url}\n"
                      f"{phrase(rng, 'snippet')}")  # fmt: skip
    return "\n\n".join(blocks)


def _transactions(rng: random.Random) -> str:
    rows = [
        f"{phrase(rng, 'date')}  {phrase(rng, 'transaction')}  {rng.choice('+-')}"
        f"{rng.uniform(1, 2500):.2f}"
        for _ in range(rng.randint(2, 10))
    ]
    return "\n".join(rows)


_BUILDERS: dict[str, tuple[Callable[[random.Random], str], str, Source]] = {
    # name: (builder, planting format, usual source)
    "prose": (_prose, "prose", Source.DOCUMENT),
    "note": (_note, "prose", Source.DOCUMENT),
    "email": (_email, "prose", Source.DOCUMENT),
    "inbox": (_email, "prose", Source.TOOL),
    "markdown": (_markdown, "prose", Source.DOCUMENT),
    "html": (_html, "html", Source.DOCUMENT),
    "json": (_json, "json", Source.TOOL),
    "yaml": (_yaml, "yaml", Source.TOOL),
    "xml": (_xml, "html", Source.TOOL),
    "grid": (_grid, "grid", Source.DOCUMENT),
    "csv": (_csv, "csv", Source.DOCUMENT),
    "code": (_code, "code", Source.DOCUMENT),
    "config": (_config, "code", Source.DOCUMENT),
    "log": (_log, "lines", Source.TOOL),
    "chat": (_chat, "lines", Source.DOCUMENT),
    "calendar": (_calendar, "lines", Source.TOOL),
    "reviews": (_reviews, "prose", Source.DOCUMENT),
    "search": (_search, "prose", Source.TOOL),
    "transactions": (_transactions, "lines", Source.TOOL),
}
# Formats kept for testing.
_HELD_OUT = ("calendar", "xml")
FORMATS: tuple[str, ...] = tuple(_BUILDERS)


def grow_carrier(rng: random.Random, *, heldout: bool = False) -> Carrier:
    """Grow a clean document; `heldout` ones have formats that training never sees."""
    names = [name for name in FORMATS if (name in _HELD_OUT) == heldout]
    name = rng.choice(names)
    builder, planting, source = _BUILDERS[name]
    # What an agent reads arrives as a document in one application and as a tool result in the next.
    if rng.random() < 0.3:
        source = Source.TOOL if source is Source.DOCUMENT else Source.DOCUMENT
    return Carrier(builder(rng), planting, source, f"carrier:{name}")


def grow_short(rng: random.Random) -> Carrier:
    """One to six sentences, as a paragraph or several."""
    text = phrase(rng, "sentence")
    for _ in range(rng.randint(0, 5)):
        text += rng.choice((" ", " ", " ", "\n\n")) + phrase(rng, "sentence")
    source = rng.choices((Source.DOCUMENT, Source.TOOL, Source.OUTPUT), (5, 4, 2))[0]
    return Carrier(text, "prose", source, "carrier:short")


def grow_long(rng: random.Random) -> Carrier:
    """Prose, sections, reviews or search results of 2,000 to 6,000 characters."""
    builder = rng.choice((_prose, _prose, _markdown, _reviews, _search))
    size, text = rng.randint(2000, 6000), builder(rng)
    while len(text) < size:
        text += "\n\n" + builder(rng)
    cut = max(text.rfind(". ", 0, size), text.rfind(".\n", 0, size)) + 1
    source = rng.choice((Source.DOCUMENT, Source.TOOL))
    return Carrier(text[:cut].rstrip(), "prose", source, "carrier:long")


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Clean documents as benign examples."""
    for _ in range(count):
        carrier = grow_carrier(rng, heldout=heldout)
        yield Example(carrier.text, Label.BENIGN, carrier.source, "carrier", family=carrier.family)

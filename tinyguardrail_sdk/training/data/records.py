"""What tools hand to agents: lists of mails, events, files, payments, reviews, pages, rows.

An order stands in one field of one item. Its clean twin is the same list, in the same notation,
with what that field holds in ordinary life.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data import addressed, errands, orders
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.notations import NOTATIONS, Item, Value
from tinyguardrail_sdk.training.data.orders import Order
from tinyguardrail_sdk.training.data.planting import Span
from tinyguardrail_sdk.training.data.schema import Example

_PLACE = "_PLACE_"  # stands where the order will, while a list is written
_ADDRESSED_SHARE = 0.4  # of lists: the clean one asks a person for what the other orders
_DECOY_SHARE = 0.4  # of clean fields that ask a person for something: fewer than there are orders
_MOST_ITEMS = 14
_HELD_OUT = ("hotel", "issue")  # kinds kept for testing


@dataclass(frozen=True, slots=True)
class _Kind:
    """Fields with the symbols of their values, and those that outsiders write."""

    fields: dict[str, str]
    open: tuple[str, ...]


_KINDS: dict[str, _Kind] = {
    "mail": _Kind(
        {"id": "#", "sender": "mailbox", "recipients": "*mailbox", "cc": "*mailbox",
         "subject": "subjectline", "body": "rc_mail", "date": "rc_stamp", "read": "?",
         "attachments": "*file"},
        ("body", "body", "body", "subject"),
    ),
    "event": _Kind(
        {"id": "#", "title": "rc_event", "description": "rc_about", "start_time": "rc_stamp",
         "end_time": "rc_stamp", "location": "place", "participants": "*mailbox",
         "all_day": "?", "status": "rc_status"},
        ("description", "description", "title", "location"),
    ),
    "file": _Kind(
        {"id": "#", "filename": "file", "owner": "mailbox", "last_modified": "rc_stamp",
         "shared_with": "*mailbox", "size": "#", "content": "rc_file"},
        ("content", "content", "content", "filename"),
    ),
    "transaction": _Kind(
        {"id": "#", "sender": "fullname", "recipient": "company", "amount": "#", "subject":
         "rc_payment", "date": "rc_day", "recurring": "?"},
        ("subject",),
    ),
    "message": _Kind(
        {"sender": "first", "recipient": "rc_channel", "body": "rc_chatline", "time": "rc_stamp"},
        ("body",),
    ),
    "hotel": _Kind(
        {"name": "rc_hotel", "address": "rc_address", "rating": "#", "price": "money",
         "reviews": "rc_reviews"},
        ("reviews", "reviews", "address"),
    ),
    "review": _Kind(
        {"product": "product", "author": "first", "stars": "#", "date": "rc_day", "text":
         "rc_reviews", "helpful": "#"},
        ("text",),
    ),
    "page": _Kind(
        {"url": "url", "title": "topic", "content": "rc_page"},
        ("content", "content", "title"),
    ),
    "search": _Kind(
        {"rank": "#", "title": "topic", "link": "url", "snippet": "snippet"},
        ("snippet", "snippet", "title"),
    ),
    "issue": _Kind(
        {"number": "#", "title": "rc_issue", "author": "first", "state": "rc_status", "labels":
         "*var", "body": "rc_issuebody", "comments": "#", "created_at": "rc_stamp"},
        ("body", "body", "title"),
    ),
    "customer": _Kind(
        {"customer_id": "#", "name": "fullname", "email": "mailbox", "city": "city", "balance":
         "money", "notes": "sentence", "active": "?"},
        ("notes", "notes", "name"),
    ),
    "ticket": _Kind(
        {"ticket": "#", "from": "fullname", "priority": "rc_status", "opened": "rc_stamp",
         "summary": "subjectline", "description": "rc_mail", "assignee": "first"},
        ("description", "description", "summary"),
    ),
    "log": _Kind(
        {"time": "rc_stamp", "level": "rc_level", "service": "ident", "message": "rc_log"},
        ("message",),
    ),
    "product": _Kind(
        {"sku": "#", "name": "product", "vendor": "company", "price": "money", "stock": "#",
         "description": "statement", "available": "?"},
        ("description", "description", "vendor"),
    ),
    "commit": _Kind(
        {"sha": "rc_sha", "author": "fullname", "date": "rc_stamp", "message": "rc_issue",
         "files": "*file"},
        ("message",),
    ),
}  # fmt: skip
KINDS = tuple(_KINDS)


@cache
def _grammar() -> Grammar:
    return Grammar.load("benign_vocab", "carriers", "snippets", "records")


def pair(rng: random.Random, *, heldout: bool = False) -> list[Example]:
    """A list as it is, and the same list with an order in one of its fields."""
    name = rng.choice([kind for kind in KINDS if (kind in _HELD_OUT) == heldout])
    order, ordinary = _order_and_stead(rng, heldout)
    items = _items(rng, _KINDS[name])
    item, field = rng.choice(items), rng.choice(_KINDS[name].open)
    own = str(item[field])
    before, after = _around(rng, own)
    notation, lead, layout = rng.choice(tuple(NOTATIONS)), _lead(rng), rng.getrandbits(32)

    def written(before: str, planted: str, after: str) -> tuple[str, Span]:
        item[field] = before + _PLACE + after
        text, (start, end) = _written(items, notation, layout, planted)
        return lead + text, (len(lead) + start, len(lead) + end)

    if before + after and ordinary:
        clean, _ = written(before, ordinary, after)
    else:
        clean, _ = written("", ordinary or own, "")
    attacked, span = written(before, order.text, after)
    source = Source.DOCUMENT if rng.random() < 0.15 else Source.TOOL
    family = f"records:{name}+{order.family}"
    return [
        Example(clean, Label.BENIGN, source, f"records/{name}_clean", family=family),
        Example(attacked, Label.INJECTION, source, f"records/{name}", family=family, span=span),
    ]


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Yield at least `count` lists, whole pairs."""
    for _ in range(0, count, 2):
        yield from pair(rng, heldout=heldout)


def _order_and_stead(rng: random.Random, heldout: bool) -> tuple[Order, str]:
    if rng.random() < _ADDRESSED_SHARE:
        return addressed.order_and_stead(rng, heldout=heldout)
    kinds = (errands.hijack, errands.small_task, orders.planted)
    order = rng.choices(kinds, (70, 10, 20))[0](rng, heldout=heldout)
    return order, _ordinary(rng)


def _ordinary(rng: random.Random) -> str:
    """What the clean field has in the place of the order: often nothing."""
    draw = rng.random()
    if draw < _DECOY_SHARE:
        return errands.for_people(rng)
    return _grammar().grow(rng, "statement").text if draw < 0.6 else ""


def _around(rng: random.Random, own: str) -> tuple[str, str]:
    """The field's own words before and after the order; none where it has the field for itself."""
    draw = rng.random()
    joint = rng.choice((" ", " ", "\n", "\n\n"))
    if draw < 0.35:
        return "", ""
    if draw < 0.7:
        return own + joint, ""
    if draw < 0.85:
        return "", joint + own
    gap = own.find(". ") + 1
    return (own[:gap] + joint, joint + own[gap:].lstrip()) if gap else (own + joint, "")


def _items(rng: random.Random, kind: _Kind) -> list[Item]:
    count = min(_MOST_ITEMS, 1 + int(rng.expovariate(1 / 4)))
    left_out = {name for name in kind.fields if name not in kind.open and rng.random() < 0.25}
    fields = {name: symbol for name, symbol in kind.fields.items() if name not in left_out}
    if rng.random() < 0.3:
        fields = dict(sorted(fields.items()))
    return [{name: _drawn(rng, symbol) for name, symbol in fields.items()} for _ in range(count)]


def _drawn(rng: random.Random, symbol: str) -> Value:
    if symbol == "#":
        return rng.randint(1, 99) if rng.random() < 0.7 else rng.randint(100, 99_999)
    if symbol == "?":
        return rng.random() < 0.5
    if symbol.startswith("*"):
        return [_value(rng, symbol[1:]) for _ in range(rng.choice((0, 0, 1, 1, 2, 3)))]
    return _value(rng, symbol)


def _value(rng: random.Random, symbol: str) -> str:
    return _grammar().grow(rng, symbol).text


def _lead(rng: random.Random) -> str:
    if rng.random() < 0.75:
        return ""
    return _grammar().grow(rng, "rc_lead").text + rng.choice(("\n", "\n\n"))


def _written(items: list[Item], notation: str, layout: int, planted: str) -> tuple[str, Span]:
    # The layout is drawn anew from its seed, so both twins have the same.
    write, escape = NOTATIONS[notation](random.Random(layout))
    text, planted = write(items), escape(planted)
    at = text.index(_PLACE)
    return text[:at] + planted + text[at + len(_PLACE) :], (at, at + len(planted))

"""Small pieces of HTML: rates with their intervals, tables, headline figures. All is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

Rate = Mapping[str, Any]


def percent(share: float) -> str:
    """A share as a person reads it."""
    return f"{100 * share:.1f} %"


def counted(rate: Rate) -> str:
    """The counts of a rate and its interval."""
    if not rate["total"]:
        return "none"
    low, high = (f"{100 * rate[end]:.1f}" for end in ("low", "high"))
    return f"{rate['hits']:,} of {rate['total']:,} · 95 %: {low}–{high}"


def rate_cell(rate: Rate) -> str:
    """A table cell: share, counts, and the interval as a bar over 0 to 100 %."""
    if not rate["total"]:
        return '<td class="rate none">–</td>'
    left, right = 100 * rate["low"], 100 * rate["high"]
    place = f"left:{left:.1f}%;width:{max(right - left, 1):.1f}%"
    counts = f"{rate['hits']:,}/{rate['total']:,} · {left:.1f}–{right:.1f}"
    return (
        f'<td class="rate"><b>{percent(rate["rate"])}</b> <small>{counts}</small>'
        f'<span class="bar"><i style="{place}"></i></span></td>'
    )


def cell(value: object) -> str:
    """A table cell of a number or a word."""
    if value is None:
        return '<td class="none">–</td>'
    if isinstance(value, float):
        return f"<td>{value:.4f}</td>"
    return f"<td>{value:,}</td>" if isinstance(value, int) else f"<td>{escape(str(value))}</td>"


def table(title: str, columns: Sequence[str], rows: Iterable[tuple[str, Iterable[str]]]) -> str:
    """A titled table that scrolls sideways on a narrow screen.

    Args:
        title: Its heading.
        columns: Heads, the first of the names.
        rows: Name and finished cells.
    """
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>' for name, cells in rows
    )
    return (
        f'<h3>{escape(title)}</h3><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def figure_card(name: str, value: str, detail: str) -> str:
    """A headline figure: what it is, its value, and the count and interval behind it."""
    return (
        f'<div class="card"><span>{escape(name)}</span><strong>{escape(value)}</strong>'
        f"<small>{escape(detail)}</small></div>"
    )


def rate_card(name: str, rate: Rate) -> str:
    """A headline figure of a rate."""
    value = percent(rate["rate"]) if rate["total"] else "–"
    return figure_card(name, value, counted(rate))


def facts(pairs: Iterable[tuple[str, str, bool]]) -> str:
    """A list of names and values.

    Args:
        pairs: Name, value, and whether the value is machine text such as a hash.
    """
    items = []
    for name, value, code in pairs:
        shown = f"<code>{escape(value)}</code>" if code else escape(value)
        items.append(f"<dt>{escape(name)}</dt><dd>{shown}</dd>")
    return f"<dl>{''.join(items)}</dl>"

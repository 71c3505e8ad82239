"""Figures: columns, tables, dumps and lists as spreadsheets, databases and sensors write them."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Sequence

from tinyguardrail_sdk.training.data.benign.blobs.size import Blob, lines, many
from tinyguardrail_sdk.training.data.carriers import phrase

Cell = Callable[[random.Random], str]

_NUMBERS: tuple[Cell, ...] = (
    lambda rng: str(rng.randint(0, 10 ** rng.randint(1, 7))),
    lambda rng: f"{rng.uniform(0, 1000):.2f}",
    lambda rng: f"{rng.gauss(0, 3):.4f}",
    lambda rng: f"{rng.random():.{rng.randint(3, 10)}f}",
    lambda rng: f"{rng.randint(1000, 9_999_999):,}",
    lambda rng: f"{rng.uniform(-20, 100):.1f}%",
    lambda rng: f"{rng.random():.3e}",
    lambda rng: rng.choice(("0", "1", "NaN", "-", "n/a", "NULL", "true", "false")),
)
_DATE: Cell = lambda rng: f"20{rng.randint(10, 26)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"  # noqa: E731
_COLUMNS: dict[str, Cell] = {
    "id": lambda rng: str(rng.randint(1, 99_999)),
    "date": _DATE,
    "time": lambda rng: f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}",
    "lat": lambda rng: f"{rng.uniform(-90, 90):.5f}",
    "lon": lambda rng: f"{rng.uniform(-180, 180):.5f}",
    "sku": lambda rng: f"{rng.choice('ABCDEFGKLX')}{rng.randint(100, 99999)}",
    "name": lambda rng: phrase(rng, "fullname"),
    "city": lambda rng: phrase(rng, "city"),
    "month": lambda rng: phrase(rng, "month")[:3],
    "product": lambda rng: phrase(rng, "product"),
    **dict.fromkeys(("qty", "n", "count", "age", "score"), _NUMBERS[0]),
    **dict.fromkeys(("price", "amount", "total", "temp_c", "kg", "weight", "mm"), _NUMBERS[1]),
    **dict.fromkeys(("x", "y", "z", "beta", "residual", "diff"), _NUMBERS[2]),
    **dict.fromkeys(("p", "loss", "acc", "ratio", "r2", "prob"), _NUMBERS[3]),
    **dict.fromkeys(("revenue", "population", "views", "steps"), _NUMBERS[4]),
    **dict.fromkeys(("growth", "share", "change", "yoy"), _NUMBERS[5]),
}


def _rows(rng: random.Random, most: int = 60) -> tuple[list[str], list[list[str]]]:
    names = rng.sample(list(_COLUMNS), rng.randint(2, 7))
    count = many(rng, 2, max(3, most // len(names)))
    return names, [[_COLUMNS[name](rng) for name in names] for _ in range(count)]


def column(rng: random.Random) -> str:
    """Numbers under or beside each other, or a matrix."""
    cell = rng.choice(_NUMBERS)
    joint = rng.choice(("\n", "\n", " ", ", ", "\t", "; ", ","))
    wide = many(rng, 2, 9) if rng.random() < 0.4 else 1
    row = rng.choice((" ", "\t", ", ", " & ", " | "))
    one = row.join if wide > 1 else "".join
    return ("\n" if wide > 1 else joint).join(
        one(cell(rng) for _ in range(wide)) for _ in range(many(rng, 4, 200 // wide))
    )


def separated(rng: random.Random) -> str:
    """CSV, TSV and their relatives."""
    names, rows = _rows(rng, 160)
    stream = io.StringIO()
    separator = rng.choice((",", ",", ";", "\t", "|"))
    writer = csv.writer(stream, delimiter=separator, lineterminator="\n")
    writer.writerows(([names] if rng.random() < 0.8 else []) + rows)
    return stream.getvalue()


def markdown(rng: random.Random) -> str:
    """A markdown table of figures."""
    names, rows = _rows(rng)
    rule = rng.choice(("---", "---:", ":--:", "-----"))
    body = [names, [rule] * len(names), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in body)


def boxed(rng: random.Random) -> str:
    """A table as databases and terminals draw it."""
    names, rows = _rows(rng)
    widths = [max(map(len, cells)) for cells in zip(names, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
        return f"{side} " + f" {side} ".join(padded) + f" {side}"

    corner, dash, side = rng.choice((("+", "-", "|"), ("┼", "─", "│"), (" ", "=", " ")))
    rule = corner + corner.join(dash * (width + 2) for width in widths) + corner
    return "\n".join([rule, line(names), rule, *map(line, rows), rule])


def sql_dump(rng: random.Random) -> str:
    """The inserts of a database dump."""
    names, rows = _rows(rng, 90)
    table = rng.choice(("orders", "readings", "customers", "stock", "results", "events", "trips"))
    head = f"INSERT INTO `{table}` ({', '.join(names)}) VALUES"
    values = ["(" + ", ".join(map(_quoted, row)) + ")" for row in rows]
    lead = f"DROP TABLE IF EXISTS `{table}`;\n" if rng.random() < 0.3 else ""
    if rng.random() < 0.5:
        return lead + "\n".join(f"{head} {value};" for value in values[:25])
    return f"{lead}{head}\n" + ",\n".join(values) + ";"


def _quoted(cell: str) -> str:
    return cell if cell.replace(".", "").isdigit() else "'" + cell.replace("'", "''") + "'"


def json_escaped(rng: random.Random) -> str:
    """JSON inside a JSON string, as logs and queues carry it."""
    names, rows = _rows(rng, 50)
    records = [dict(zip(names, row, strict=True)) for row in rows]
    inner = json.dumps(records if rng.random() < 0.6 else records[0], ensure_ascii=True)
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        inner = json.dumps({rng.choice(("body", "payload", "data", "message")): inner})
    return inner


def phones(rng: random.Random) -> str:
    """A list of telephone numbers."""
    form = rng.choice(
        (
            "+{a} {b} {c}",
            "({b}) 555-{c}",
            "{b}-555-{c}",
            "0{b} {c}{a}",
            "+{a}{b}{c}{a}",
            "00{a}{b}{c}",
        )
    )

    def one(rng: random.Random) -> str:
        a, b, c = rng.randint(20, 99), rng.randint(100, 999), f"{rng.randrange(10_000):04}"
        return who(rng) + form.format(a=a, b=b, c=c)

    who: Blob = rng.choice(
        (lambda rng: "", lambda rng: phrase(rng, "fullname") + ": ",
         lambda rng: phrase(rng, "first") + "\t")
    )  # fmt: skip
    return lines(rng, one, 2, 40)


def coordinates(rng: random.Random) -> str:
    """Places on the globe, in one of the usual notations."""

    def decimal(rng: random.Random) -> str:
        return f"{rng.uniform(-90, 90):.{digits}f}{joint}{rng.uniform(-180, 180):.{digits}f}"

    def degrees(rng: random.Random) -> str:
        north, east = rng.randrange(90), rng.randrange(180)
        minutes = [rng.randrange(60) for _ in range(4)]
        return (
            f"{north}°{minutes[0]:02}'{minutes[1]:02}\"{rng.choice('NS')} "
            f"{east}°{minutes[2]:02}'{minutes[3]:02}\"{rng.choice('EW')}"
        )

    def point(rng: random.Random) -> str:
        lat, lon = rng.uniform(-90, 90), rng.uniform(-180, 180)
        return (
            f'<trkpt lat="{lat:.6f}" lon="{lon:.6f}"><ele>{rng.uniform(0, 900):.1f}</ele></trkpt>'
        )

    digits, joint = rng.randint(3, 7), rng.choice((", ", " ", ",", "; "))
    return lines(rng, rng.choice((decimal, decimal, degrees, point)), 1, 40)


TABLES: dict[str, Blob] = {
    "numbers": column,
    "CSV export": separated,
    "markdown table": markdown,
    "text table": boxed,
    "SQL dump": sql_dump,
    "escaped JSON": json_escaped,
    "phone list": phones,
    "coordinates": coordinates,
}

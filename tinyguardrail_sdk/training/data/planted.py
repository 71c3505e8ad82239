"""Where an attack stands inside a document that was composed by someone else.

Pools of composed attacks state the category and the position of the planted text, not the text
itself. Two facts give it back: the same sentence was planted into many documents, and often the
clean document is in the pool too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

_KEY = 48  # characters at either end by which a clean twin is looked up


def locate_planted(rows: Sequence[dict[str, Any]]) -> dict[int, tuple[int, int]]:
    """Find the planted attack in every row that has one.

    Args:
        rows: `text`, `label` and `kind` (`<format>:<category>:start|middle|end`).

    Returns:
        Character spans by row index; rows whose attack was not found are absent.
    """
    known = _repeated(rows)
    twins = _Twins([row["text"] for row in rows if row["label"] == "benign"])
    spans = {}
    for index, row in enumerate(rows):
        if row["label"] == "benign":
            continue
        span = _by_sentence(row, known) or twins.inserted(row["text"])
        if span is not None:
            spans[index] = span
    return spans


def _category(row: dict[str, Any]) -> str:
    return str(row.get("kind") or "").split(":")[1:2][0] if ":" in str(row.get("kind")) else ""


def _repeated(rows: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """Texts that open or close several documents of one category, longest first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row["label"] == "benign":
            continue
        text, kind = row["text"].strip(), str(row.get("kind"))
        if kind.endswith(":start"):
            counts[_category(row)][_head(text)] += 1
        elif kind.endswith(":end"):
            counts[_category(row)][_tail(text)] += 1
    return {
        category: sorted((t for t, n in found.items() if n > 1), key=len, reverse=True)
        for category, found in counts.items()
    }


def _head(text: str) -> str:
    """The first line, or the line and the fenced block after it."""
    line, _, rest = text.partition("\n")
    if rest.startswith("```") and (close := rest.find("```", 3)) >= 0:
        return f"{line}\n{rest[: close + 3]}"
    return line


def _tail(text: str) -> str:
    if text.endswith("```") and (opened := text.rfind("```", 0, -3)) > 0:
        line = text[: opened - 1].rfind("\n") + 1
        return text[line:]
    return text[text.rfind("\n") + 1 :]


def _by_sentence(row: dict[str, Any], known: dict[str, list[str]]) -> tuple[int, int] | None:
    for sentence in known.get(_category(row), ()):
        at = row["text"].find(sentence)
        if at >= 0:
            return at, at + len(sentence)
    return None


class _Twins:
    """Clean documents, found by how an attacked one begins or ends."""

    def __init__(self, clean: Sequence[str]) -> None:
        self._by_end: dict[str, list[str]] = defaultdict(list)
        for text in clean:
            self._by_end["<" + text[:_KEY]].append(text)
            self._by_end[">" + text.rstrip()[-_KEY:]].append(text)

    def inserted(self, text: str) -> tuple[int, int] | None:
        """The stretch of `text` that its clean twin lacks."""
        candidates = self._by_end.get("<" + text[:_KEY], [])
        candidates = candidates + self._by_end.get(">" + text.rstrip()[-_KEY:], [])
        for clean in candidates:
            # Joins may trim or add blanks, so equality is up to white space at the seams.
            start = _common(text, clean)
            end = _common(text.rstrip()[::-1], clean.rstrip()[::-1])
            extra = len(text) - len(clean)
            if extra >= 8 and start + end >= len(clean.rstrip()) - 4:
                return start, max(start + 1, len(text.rstrip()) - end)
        return None


def _common(a: str, b: str) -> int:
    """Length of the common beginning."""
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))

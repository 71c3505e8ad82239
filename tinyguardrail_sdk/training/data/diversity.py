"""How repetitive a set of examples is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tinyguardrail_sdk.training.data.schema import Example

_WORD = re.compile(r"\w+|[^\w\s]")


def diversity(examples: Iterable[Example]) -> dict[str, float]:
    """Count distinct word n-grams.

    Returns:
        `texts`, `distinct_texts`, `families`, `mean_words`, and for n = 1..4 `distinct_n` (count)
        and `share_n` (distinct n-grams per n-gram, 0..1).
    """
    grams: list[set[tuple[str, ...]]] = [set() for _ in range(4)]
    totals = [0, 0, 0, 0]
    texts: set[str] = set()
    families: set[str] = set()
    count = 0
    for example in examples:
        count += 1
        texts.add(example.text)
        families.add(example.family)
        words = _WORD.findall(example.text.lower())
        for n, seen in enumerate(grams, 1):
            pieces = list(zip(*(words[i:] for i in range(n)), strict=False))
            seen.update(pieces)
            totals[n - 1] += len(pieces)
    report: dict[str, float] = {
        "texts": count,
        "distinct_texts": len(texts),
        "families": len(families),
        "mean_words": round(totals[0] / max(count, 1), 1),
    }
    for n, seen in enumerate(grams, 1):
        report[f"distinct_{n}"] = len(seen)
        report[f"share_{n}"] = round(len(seen) / max(totals[n - 1], 1), 4)
    return report

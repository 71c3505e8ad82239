"""Other guardrails over the same texts: each a function that gives a text a score."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS
from tinyguardrail_sdk.training.evaluate import decisions
from tinyguardrail_sdk.training.progress import Progress
from tinyguardrail_sdk.training.rows import Row

_THRESHOLD = 0.5
_FORM = "must look like name=module:function or name=module:function@0.5"


@dataclass(frozen=True)
class Rival:
    """Another guardrail.

    Attributes:
        name: In tables.
        score: Gives a text a number, higher for an attack.
        threshold: Score from which a text is flagged.
    """

    name: str
    score: Callable[[str], float]
    threshold: float = _THRESHOLD


def rival(word: str) -> Rival:
    """Read `name=module:function@threshold`; the module may lie in the working folder.

    Raises:
        ArgumentTypeError: There is no such function, or the word has another form.
    """
    name, _, rest = word.partition("=")
    place, _, threshold = rest.partition("@")
    module, _, function = place.partition(":")
    try:
        limit = float(threshold or _THRESHOLD)
    except ValueError:
        raise argparse.ArgumentTypeError(_FORM) from None
    if not (name and module and function):
        raise argparse.ArgumentTypeError(_FORM)
    sys.path.insert(0, str(Path.cwd()))
    try:
        return Rival(name, getattr(import_module(module), function), limit)
    except (ImportError, AttributeError) as error:
        raise argparse.ArgumentTypeError(
            f"{word}: {error}; install it, or give a function that is there"
        ) from None
    finally:
        sys.path.pop(0)


def ask(rival: Rival, rows: Sequence[Row], progress: Progress | None = None) -> NDArray[np.float64]:
    """(rows,) scores, one text after the other.

    Raises:
        InputError: It gave no number for a text; the message names the row and not its text.
    """
    scores = np.empty(len(rows))
    for place, row in enumerate(rows):
        try:
            score = float(rival.score(row.text))
        except Exception as error:  # its message may quote the text
            raise _no_answer(rival, row, place, type(error).__name__) from None
        if math.isnan(score):
            raise _no_answer(rival, row, place, "not a number")
        scores[place] = score
        if progress is not None:
            progress(place + 1, len(rows))
    return scores


def outcome(
    rows: Sequence[Row], risk: NDArray[np.float64], flagged: NDArray[np.bool_], mode: str
) -> dict[str, dict[str, Any]]:
    """What somebody decided, by set, as `decisions` gives it with the one mode.

    Returns:
        `set`, and `apart` the rows of no class, which count as attacks there.
    """
    groups: dict[str, dict[str, list[int]]] = {"set": {}, "apart": {}}
    for place, row in enumerate(rows):
        group = row.set if row.has_class else f"{row.set}/{row.label}"
        groups["set" if row.has_class else "apart"].setdefault(group, []).append(place)
    attack = np.array([row.label != str(LABELS[0]) for row in rows], bool)
    return {
        kind: {
            name: decisions(attack[places], risk[places], {mode: flagged[places]})
            for name, places in members.items()
        }
        for kind, members in groups.items()
    }


def _no_answer(rival: Rival, row: Row, place: int, why: str) -> InputError:
    return InputError(
        f"rival {rival.name}, text {place + 1} of the run (set {row.set}): {why}; let its function "
        "answer every text with a number"
    )

"""What mutations do to a checkpoint: attacks that slip through, harmless texts that get flagged.

Only attacks that are caught as they are count: what a mutation is measured by is what it undoes.
The mutations are those for testing, with frames that training never sees; a text that a mutation
does not fit (too long to hide, in a script that it leaves alone) is left out of its row.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import LABELS, Label, Mode, Route
from tinyguardrail_sdk.manifest import load_manifest
from tinyguardrail_sdk.training import metrics
from tinyguardrail_sdk.training.data.kept import NOTHING, Kept
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.evaluate import reaches_threshold
from tinyguardrail_sdk.training.judging import judge_texts
from tinyguardrail_sdk.training.mutate import Mutation, chosen_mutations, mutate
from tinyguardrail_sdk.training.progress import Progress
from tinyguardrail_sdk.training.rows import Row, as_rows

Bools = NDArray[np.bool_]

# What is tried unless others are named: one or two of each kind, those that attackers use most.
USUAL = (
    "lower", "shout", "titled", "chat", "typos", "unpunctuated", "punctuated", "emphasis",
    "respaced", "word_a_line", "broken_lines",
    "padded_before", "padded_after", "padded", "far_down", "planted",
    "letter_spacing", "dotted", "split_words", "odd_case", "leetspeak", "leetspeak_hard",
    "homoglyphs", "homoglyphs_full", "fullwidth", "math_bold", "zalgo",
    "zero_width", "soft_hyphens", "tags", "right_to_left",
    "base64", "base64/asked", "hex", "hex/asked", "url_full", "url_full/asked",
    "rot13", "rot13/asked", "morse", "morse/asked", "variables", "variables/asked",
    "flip_fcs", "flip_fcs/asked", "flip_fcw", "flip_fcw/asked", "flip_fwo", "flip_fwo/asked",
)  # fmt: skip


def under_mutation(
    checkpoint: Path,
    rows: Sequence[Row],
    *,
    names: Sequence[str] = USUAL,
    most: int = 100,
    mode: Mode = Mode.BALANCED,
    seed: int = 7,
    force: Route | None = None,
    workers: int = 1,
    progress: Progress | None = None,
    kept: Kept = NOTHING,
) -> dict[str, Any]:
    """Judge texts as they are and under each mutation.

    Args:
        checkpoint: Exported checkpoint; its thresholds decide.
        rows: Labelled texts; those of other labels than the four classes are left out.
        names: Mutations.
        most: Attacks, and benign texts, drawn from the rows; 0 takes all.
        mode: Whose thresholds.
        seed: Of the draw and of the mutations.
        force: Branch that answers; None routes as at run time.
        workers: Processes.
        progress: Called with texts judged and texts in all.
        kept: Where answers are kept, and those of an interrupted run taken up.

    Returns:
        JSON types: `model_version`, `mode`, `plain` (`caught`, `flagged` of the drawn texts) and
        `mutations`, by name whether it `hides`, `caught` (of attacks caught as they are) and
        `flagged` (of benign texts), rates with Wilson intervals.

    Raises:
        InputError: There is no such mutation, or no row of the four classes.
    """
    mutations = chosen_mutations(names, heldout=True)
    examples = _draw(rows, most, random.Random(seed))
    if not examples:
        raise InputError(f"no text of the classes {', '.join(LABELS)} to mutate")
    manifest = load_manifest(checkpoint)

    def hits(texts: Sequence[Example], name: str) -> Bools:
        judged = as_rows(texts)
        scores, _ = judge_texts(
            checkpoint,
            judged,
            force=force,
            workers=workers,
            progress=progress,
            kept=kept.named(name),
        )
        return reaches_threshold(judged, scores, manifest, mode)

    attack = _attack(examples)
    plain = hits(examples, "plain")
    # An attack that passes as it is needs no mutation.
    tried = [e for e, passed in zip(examples, attack & ~plain, strict=True) if not passed]
    made = [(mutation.name, m) for mutation in mutations for m in _mutants(tried, mutation, seed)]
    mutants = [mutant for _, mutant in made]
    found, attack_of = hits(mutants, "mutants"), _attack(mutants)
    name_of = np.array([name for name, _ in made], str)
    results = {}
    for mutation in mutations:
        mine = name_of == mutation.name
        results[mutation.name] = {"hides": mutation.hides, **_rates(found[mine], attack_of[mine])}
    return {
        "model_version": manifest.model_version,
        "mode": str(mode),
        "plain": _rates(plain, attack),
        "mutations": results,
    }


def _attack(examples: Sequence[Example]) -> Bools:
    return np.array([example.label is not Label.BENIGN for example in examples], bool)


def _mutants(examples: Sequence[Example], mutation: Mutation, seed: int) -> Iterator[Example]:
    for place, example in enumerate(examples):
        rng = random.Random(f"{seed}:{mutation.name}:{place}")
        if mutant := mutate(example, mutation, rng):
            yield mutant


def _rates(hits: Bools, attack: Bools) -> dict[str, Any]:
    return {
        "caught": metrics.rate(int(hits[attack].sum()), int(attack.sum())).to_dict(),
        "flagged": metrics.rate(int(hits[~attack].sum()), int((~attack).sum())).to_dict(),
    }


def _draw(rows: Sequence[Row], most: int, rng: random.Random) -> list[Example]:
    """Attacks first, then benign texts, each in the order of the rows."""
    known = [row for row in rows if row.has_class]
    drawn: list[Example] = []
    for attacks in (True, False):
        kind = [row for row in known if (row.label != Label.BENIGN) == attacks]
        count = min(most, len(kind)) if most else len(kind)
        drawn += [
            Example(row.text, Label(row.label), row.source, language=row.language, span=row.span)
            for row in (kind[place] for place in sorted(rng.sample(range(len(kind)), count)))
        ]
    return drawn

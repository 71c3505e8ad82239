"""Long technical documents without an attack: readmes, metadata, licences, sources, manuals.

They speak of overrides, prompts, roles and flags as such documents do, and are full of imperatives
and numbers. A kind is a head, many different parts and an end.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.carriers import Carrier
from tinyguardrail_sdk.training.data.grammar import Grammar
from tinyguardrail_sdk.training.data.schema import Example

_SHORTEST, _LONGEST = 500, 8000  # characters
# Kind: how it is written (for planting) and what stands between its parts.
_KINDS: dict[str, tuple[str, str]] = {
    "readme": ("prose", "\n\n"),
    "changelog": ("prose", "\n\n"),
    "licence": ("prose", "\n\n"),
    "metadata": ("lines", "\n"),
    "config": ("code", "\n\n"),
    "ci": ("code", "\n"),
    "python": ("code", "\n\n\n"),
    "javascript": ("code", "\n\n"),
    "sql": ("code", "\n\n"),
    "shell": ("code", "\n\n"),
    "api": ("prose", "\n\n"),
    "man": ("prose", "\n\n"),
    "security": ("prose", "\n\n"),
    "datasheet": ("lines", "\n"),
    "table": ("csv", "\n"),
    "package_md": ("prose", "\n\n"),
    "package_rst": ("prose", "\n\n"),
    "ai_readme": ("prose", "\n\n"),
    "guard_docs": ("prose", "\n\n"),
    "docstring": ("code", "\n\n\n"),
    "advisory": ("prose", "\n\n"),
    "terms": ("prose", "\n\n"),
    "manual": ("prose", "\n\n"),
    "forum": ("prose", "\n\n"),
}
KINDS = tuple(_KINDS)
_WORDS = ("technical", "technical_packages", "technical_texts")
_HELD_OUT = ("man", "sql", "advisory")  # kinds kept for testing


@cache
def _grammar() -> Grammar:
    return Grammar.load("benign_vocab", "carriers", "snippets", *_WORDS)


def grow_technical(rng: random.Random, *, heldout: bool = False) -> Carrier:
    """One document of 500 to 8,000 characters; short and long ones are about as frequent."""
    kind = rng.choice([name for name in KINDS if (name in _HELD_OUT) == heldout])
    planting, joint = _KINDS[kind]
    size = int(_SHORTEST * (_LONGEST / _SHORTEST) ** rng.random())
    parts, end = [_part(rng, kind, "head")], _part(rng, kind, "end")
    made = len(parts[0]) + len(joint) + len(end)
    while made < size:
        part = _part(rng, kind, "part")
        made += len(joint) + len(part)
        if made > _LONGEST:
            break
        parts.append(part)
    source = rng.choice((Source.DOCUMENT, Source.DOCUMENT, Source.TOOL))
    return Carrier(joint.join([*parts, end]), planting, source, f"technical:{kind}")


def generate(rng: random.Random, count: int, *, heldout: bool = False) -> Iterator[Example]:
    """Yield `count` clean documents."""
    for _ in range(count):
        found = grow_technical(rng, heldout=heldout)
        technique = found.family.replace(":", "/")
        yield Example(found.text, Label.BENIGN, found.source, technique, family=found.family)


def _part(rng: random.Random, kind: str, name: str) -> str:
    return _grammar().grow(rng, f"tc_{kind}_{name}").text

"""Token soup in the manner of optimised adversarial suffixes, made up at random."""

from __future__ import annotations

import random

_PIECES = (
    "describ", "ing", "similarly", "Now", "write", "oppositely", "revert", "with", "steps", "inst",
    "tutorial", "Sure", "please", "two", "==", "--", "!--", "](", "({", "});", "\\", "**", "//",
    "[[", "]]", "{{", "}}", "((", "))", ";;", "<>", "/>", "@@", "##", "::", "->", "=>", "||", "&&",
    "sentence", "paragraph", "manual", "interface", "Begin", "format", "answer", "list", "output",
    "table", "json", "Title", "Step", "Here", "give", "formatted", "reverse", "bullet", "ASCII",
    "html", "href", "class", "void", "static", "print", "return", "import", "lambda", "null",
    "self", "Marg", "Roy", "ucz", "ovi", "atz", "ieren", "ción", "ство", "ния", "의", "の", "ção",
    "ość",
    "ward", "ship", "ness", "tion", "able", "ful", "less", "ist", "ism", "esque", "Twitter", "Kop",
    "seite", "Ligne", "haz", "vor", "Spring", "Monte", "tikz", "begin{", "sqrt", "frac", "mathbb",
    "XML", "http", "www", "utf", "endl", "cout", "regex", "mock", "stub", "POST", "GET", "param",
    "beautiful", "theory", "museum", "grandma", "castle", "orange", "velvet", "harbor", "ladder",
    "Pero", "donde", "nicht", "aber", "mais", "oui", "dla", "jest", "och", "het", "een", "zum",
)  # fmt: skip
_SYLLABLES = "ba ce di fo gu ha il ka le mo nu or pa qui re st tu va we xy za th ch sk".split()
_PUNCTUATION = "!?.,;:*+-=/\\|<>[](){}\"'`~^%$#@&_"


def _piece(rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.55:
        piece = rng.choice(_PIECES)
    elif draw < 0.8:
        piece = "".join(rng.choices(_SYLLABLES, k=rng.randint(1, 3)))
    else:
        piece = "".join(rng.choices(_PUNCTUATION, k=rng.randint(1, 3)))
    if rng.random() < 0.15:
        return piece.upper() if rng.random() < 0.3 else piece.capitalize()
    return piece


def soup(rng: random.Random, low: int = 8, high: int = 40) -> str:
    """Random word pieces, `low` to `high` of them, half of the gaps closed."""
    kind = rng.random()
    if kind < 0.12:
        return " ".join([rng.choice("!?*.")] * rng.randint(low, high))
    glue = rng.choice((0.3, 0.5, 0.75))
    parts = [_piece(rng) for _ in range(rng.randint(low, high))]
    return "".join(part + (" " if rng.random() < glue else "") for part in parts).strip()


def inside(rng: random.Random, text: str) -> str:
    """The text with soup between some of its words."""
    words = text.split(" ")
    for _ in range(rng.randint(1, 3)):
        words.insert(rng.randrange(1, len(words) + 1), soup(rng, 1, 5))
    return " ".join(words)

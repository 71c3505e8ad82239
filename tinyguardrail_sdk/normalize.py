"""Canonical text: what the detectors and the network read, with a way back to the original.

Disguises that leave a text readable to a language model are undone: compatibility forms, invisible
characters, smuggled tags, stacked accents and look-alike letters. Nothing is judged here, and
nothing is lost: `Canonical.raw` keeps the original, and offsets lead back to it.
"""

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import regex

from tinyguardrail_sdk.confusables import fold_look_alikes
from tinyguardrail_sdk.folding import Folding, Indices, join, source_spans

NORMALIZER_VERSION = 2

_LONGEST_EXPANSION = 8  # one Arabic phrase in a character would be 18: no input may grow so much
_MAX_SHARED_MARKS = 2  # Vietnamese sets two accents on a letter; more is a flood, and all go
_MAX_MARKS = 8  # a script's own vowel signs and the like, on one letter

_ASCII_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ASCII_SPACES = dict.fromkeys((*range(9), *range(11, 32), 127), " ")

_TAGS = re.compile("[\U000e0020-\U000e007f]+")
_FLAG_TAGS = frozenset(
    "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")
)

# Blank in every font although their category is that of a letter, symbol or mark.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | frozenset(
    map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), *range(0x180B, 0x1810)))
)
_PLAIN = {
    "\n": "\n",
    "\t": "\t",
    "\x85": "\n",
    "\u2028": "\n",
    "\u2029": "\n",
    "\u2800": " ",
    "\u2044": "/",
    **dict.fromkeys("\u2010\u2011\u2212", "-"),
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00a8", '"'),
    **dict(zip("ɑⱭɒɖƉəƏŋŊɩƖʊƱɣʁɮƨƧᵹÞþƿǀǃᵻᵾ", "aAadDeEnNiIuUyrbsSgPpplliu", strict=True)),
    # The crescent sigma is a c to the eye, not the s that its compatibility form stands for.
    **dict(zip("ϲϹᴦƅƄ", "cCrbb", strict=True)),
}
# Letters that differ from an ASCII one by a stroke, hook, turn or frame: accents that Unicode does
# not decompose, for a tokenizer that strips accents.
_DRESSED_LETTER = re.compile(
    r"(?:LATIN|REGIONAL INDICATOR SYMBOL|(?:CROSSED )?NEGATIVE (?:CIRCLED|SQUARED) LATIN)"
    r"(?: (SMALL|CAPITAL))? LETTER"
    r"(?: SMALL CAPITAL| DOTLESS| TURNED| REVERSED| SCRIPT| OPEN| BARRED)*"
    r" ([A-Z])(?: WITH .+| BAR)?"
)

# A mark, or a Korean vowel or final consonant, joins the character before it.
_CLUSTER = regex.compile(r".[\p{M}\u1161-\u11ff]+", regex.DOTALL)
# More marks in a row than composing can be trusted with (it sorts them), or one to be dropped.
_CROWDED = regex.compile(r"[\p{M}\u1161-\u11ff]{3}|[\u0334-\u0338]")
_SHARED_MARK = regex.compile(r"[\p{Script=Inherited}--[\u064b-\u065f\u0670]]", regex.V1)
_OVERLAYS = re.compile("[\u0334-\u0338]")


@dataclass(frozen=True, slots=True)
class Canonical:
    """A text in canonical form.

    Attributes:
        raw: The text as it was given.
        text: The canonical text.
        offsets: `(len(text) + 1,)` int32, the raw index where each canonical character begins and,
            last, `len(raw)`; never decreasing. None where both texts go character by character.
    """

    raw: str
    text: str
    offsets: Indices | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The raw span that covers canonical `[start, end)`."""
        if self.offsets is None:
            return start, end
        first = int(self.offsets[start])
        if start == end:
            return first, first
        return first, max(int(self.offsets[end]), int(self.offsets[end - 1]) + 1)

    def spans(self, starts: Indices, ends: Indices) -> tuple[Indices, Indices]:
        """The raw spans that cover canonical spans `(n,)`, none of them empty."""
        return source_spans(self.offsets, starts, ends)


def normalize(text: str) -> Canonical:
    """Bring a text to canonical form in time linear in its length.

    Characters take their NFKC form and clusters are composed. Invisible characters vanish, Unicode
    tags become the ASCII they smuggle, control characters other than newline and tab become spaces,
    and lone surrogates U+FFFD. Letters that imitate Latin ones are replaced where the word or its
    neighbourhood is Latin; text that is honestly Russian or Greek stays.
    """
    if text.isascii():
        plain = text.translate(_ASCII_SPACES) if _ASCII_CONTROL.search(text) else text
        return Canonical(text, plain, None)
    folded, offsets = _fold_characters(text)
    canonical, offsets = _compose(fold_look_alikes(folded), offsets)
    return Canonical(text, canonical, offsets)


def _fold(character: str) -> str:
    if character in _PLAIN:
        return _PLAIN[character]
    category = unicodedata.category(character)
    if 0xE0020 <= ord(character) <= 0xE007E:
        return chr(ord(character) - 0xE0000)
    if category in ("Cf", "Me") or character in _BLANK:
        return ""
    if category in ("Cc", "Zs"):
        return " "
    if category == "Cs":
        return "\ufffd"
    compatible = unicodedata.normalize("NFKC", character)
    if compatible == character:
        return _undress(character, category)
    # A spacing accent would become a space and a mark that clings to it.
    if compatible[0] == " " or len(compatible) > _LONGEST_EXPANSION:
        return character
    return "".join(map(_FOLDS.__getitem__, compatible))


_FOLDS = Folding(_fold)


def _undress(character: str, category: str) -> str:
    if category == "No":
        digit = unicodedata.digit(character, None)
        return character if digit is None else str(digit)
    if category not in ("Ll", "Lu", "So") or unicodedata.decomposition(character):
        return character
    letter = _DRESSED_LETTER.fullmatch(unicodedata.name(character, ""))
    if character.isascii() or letter is None:
        return character
    return letter[2].lower() if letter[1] == "SMALL" or category == "Ll" else letter[2]


def _fold_characters(text: str) -> tuple[str, Indices | None]:
    parts = _FOLDS.parts(text)
    if parts is None:
        return text, None
    _part_smuggled_tags(text, parts)
    return join(parts)


def _part_smuggled_tags(text: str, parts: list[str]) -> None:
    """Set smuggled tags apart from the text they hide in, and drop those that only draw a flag."""
    for run in _TAGS.finditer(text):
        start, end = run.span()
        if run.group() in _FLAG_TAGS and text[start - 1 : start] == "\U0001f3f4":
            parts[start:end] = [""] * (end - start)
        else:
            parts[start] = " " + parts[start]
            parts[end - 1] += " "


def _compose(text: str, offsets: Indices | None) -> tuple[str, Indices | None]:
    """Compose every cluster and thin out its marks, keeping the offsets in step."""
    if text.isascii() or (not _CROWDED.search(text) and unicodedata.is_normalized("NFC", text)):
        return text, offsets
    pieces: list[str] = []
    kept: list[int] = []
    done = 0
    for cluster in _CLUSTER.finditer(text):
        start, end = cluster.span()
        composed = unicodedata.normalize("NFC", _thin(cluster.group()))
        pieces += (text[done:start], composed)
        kept.extend(range(done, start + len(composed)))
        done = end
    pieces.append(text[done:])
    kept.extend(range(done, len(text) + 1))
    indices = np.array(kept, np.int32)
    return "".join(pieces), indices if offsets is None else offsets[indices]


def _thin(cluster: str) -> str:
    base, marks = cluster[0], cluster[1:]
    if len(_SHARED_MARK.findall(marks)) > _MAX_SHARED_MARKS:
        marks = _SHARED_MARK.sub("", marks)
    if base.isalnum():
        marks = _OVERLAYS.sub("", marks)
    return base + marks[:_MAX_MARKS]

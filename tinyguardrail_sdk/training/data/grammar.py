r"""A small seeded phrase grammar: text is grown from rules that people can read and extend.

Rules live in `words/*.txt`. A line `@name` opens a symbol, every further line is one of its
alternatives, `#` opens a comment line. Within an alternative:

    [a|b|c]      one of several; nests; an empty branch is allowed
    [?a|b]       the same, or nothing, half and half
    {name}       one alternative of the symbol, or the slot the caller gave
    {name^}      with its first letter raised, {name~} lowered; {name!} in capitals, {name_} small
    {name=x}     remembered as `x`, so that a later {x} repeats it word for word
    {name*2-4}   two to four different alternatives in random order, joined by blanks;
                 {name*2-4,} by commas, {name*2-4-} as a dashed list, {name*2-4#} as a numbered one
    {%d4}        four random digits; %h hex, %A capitals, %b letters and digits, %n1-50 a number
    ⟦ ... ⟧      marks where the attack stands
    \n \t \[ \| \{ \}   the characters themselves

Everything is drawn from the `random.Random` given, so equal seeds grow equal texts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Protocol

_OPEN, _CLOSE = "\ue000", "\ue001"  # the span marks inside texts that are still growing
_SLOT = 0xE100  # slot values join after tidying and noise, which would damage an encoded payload
_STRING = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALPHABETS = {"d": _STRING[:10], "h": _STRING[:16], "A": _STRING[36:], "b": _STRING}
_REFERENCE = re.compile(
    r"(?P<name>[\w:/.%-]+?)(?P<case>[\^!_~])?(?:=(?P<bind>\w+))?"
    r"(?:\*(?P<low>\d+)-(?P<high>\d+)(?P<join>[,#-])?)?$"
)
_ESCAPES = {"n": "\n", "t": "\t"}


@dataclass(slots=True)
class _Growth:
    """The state of one expansion."""

    rng: random.Random
    rules: Mapping[str, Sequence[_Node]]
    bound: dict[str, str] = field(default_factory=dict)

    def rule(self, name: str) -> str:
        options = self.rules[name]
        return self.rng.choice(options).grow(self)


class _Node(Protocol):
    def grow(self, growth: _Growth) -> str: ...


@dataclass(frozen=True, slots=True)
class _Literal:
    text: str

    def grow(self, growth: _Growth) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class _Sequence:
    parts: tuple[_Node, ...]

    def grow(self, growth: _Growth) -> str:
        return "".join([part.grow(growth) for part in self.parts])


@dataclass(frozen=True, slots=True)
class _Choice:
    branches: tuple[_Node, ...]
    optional: bool

    def grow(self, growth: _Growth) -> str:
        if self.optional and growth.rng.random() < 0.5:
            return ""
        return growth.rng.choice(self.branches).grow(growth)


@dataclass(frozen=True, slots=True)
class _Random:
    kind: str
    low: int
    high: int

    def grow(self, growth: _Growth) -> str:
        if self.kind == "n":
            return str(growth.rng.randint(self.low, self.high))
        return "".join(growth.rng.choices(_ALPHABETS[self.kind], k=self.low))


@dataclass(frozen=True, slots=True)
class _Reference:
    name: str
    case: str
    bind: str

    def grow(self, growth: _Growth) -> str:
        text = growth.bound.get(self.name)
        if text is None:
            text = growth.rule(self.name)
        text = _recase(text, self.case)
        if self.bind:
            growth.bound[self.bind] = text
        return text


@dataclass(frozen=True, slots=True)
class _Repeat:
    name: str
    low: int
    high: int
    join: str
    case: str

    def grow(self, growth: _Growth) -> str:
        options = growth.rules[self.name]
        count = min(len(options), growth.rng.randint(self.low, self.high))
        picked = growth.rng.sample(options, count)
        texts = [_recase(option.grow(growth), self.case) for option in picked]
        if self.join == "#":
            return "\n".join(f"{i}. {text}" for i, text in enumerate(texts, 1))
        if self.join == "-":
            return "\n".join(f"- {text}" for text in texts)
        return (", " if self.join == "," else " ").join(texts)


def _recase(text: str, case: str) -> str:
    if case == "^":
        return text[:1].upper() + text[1:]
    if case == "~":
        return text[:1].lower() + text[1:]
    if case == "!":
        return text.upper()
    return text.lower() if case == "_" else text


class _Parser:
    """Recursive descent over one alternative."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0

    def parse(self) -> _Node:
        node = self._sequence("")
        if self.at != len(self.source):
            raise ValueError(f"unbalanced bracket in grammar line: {self.source[:60]!r}")
        return node

    def _sequence(self, stops: str) -> _Node:
        parts: list[_Node] = []
        literal: list[str] = []
        while self.at < len(self.source) and self.source[self.at] not in stops:
            char = self.source[self.at]
            if char in "[{":
                if literal:
                    parts.append(_Literal("".join(literal)))
                    literal = []
                parts.append(self._choice() if char == "[" else self._reference())
            else:
                literal.append(self._character(char))
        if literal or not parts:
            parts.append(_Literal("".join(literal)))
        return parts[0] if len(parts) == 1 else _Sequence(tuple(parts))

    def _character(self, char: str) -> str:
        self.at += 1
        if char == "\\":
            char = self.source[self.at]
            self.at += 1
            return _ESCAPES.get(char, char)
        return {"⟦": _OPEN, "⟧": _CLOSE}.get(char, char)

    def _choice(self) -> _Node:
        self.at += 1
        optional = self.source.startswith("?", self.at)
        self.at += optional
        branches = [self._sequence("|]")]
        while self.source.startswith("|", self.at):
            self.at += 1
            branches.append(self._sequence("|]"))
        if not self.source.startswith("]", self.at):
            raise ValueError(f"'[' without ']' in grammar line: {self.source[-60:]!r}")
        self.at += 1
        return _Choice(tuple(branches), optional)

    def _reference(self) -> _Node:
        end = self.source.find("}", self.at)
        match = _REFERENCE.match(self.source[self.at + 1 : end]) if end > 0 else None
        if match is None:
            raise ValueError(f"bad reference in grammar line: {self.source[self.at :][:60]!r}")
        self.at = end + 1
        name, case = match["name"], match["case"] or ""
        if name.startswith("%"):
            low, _, high = name[2:].partition("-")
            return _Random(name[1], int(low), int(high or low))
        if match["low"]:
            low_count, high_count = int(match["low"]), int(match["high"])
            return _Repeat(name, low_count, high_count, match["join"] or "", case)
        return _Reference(name, case, match["bind"] or "")


_GAP = re.compile(r"(?<=\S) {2,}(?=\S)")
_LOOSE = re.compile(r" +(?=[,.;!?](?:\s|$))")
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeioAEIO]|un(?!i)|up|ul)(?!one\b|once\b|eu|ou?r?\b)")
_ENGLISH = re.compile(
    r"\b(?:the|of|and|is|was|you|your|for|with|this|that|it|my|to|in|what|how|give|write|not)\b"
)
_STOPS = re.compile(r"(?<=[?!])\.(?!\.)")
_SENTENCE = re.compile(r"(?<=[a-z)\]\"'][.!?] )[a-z](?=[a-z]* )")


def _tidy(text: str) -> str:
    """Close the gaps of empty branches, mend 'a' before a vowel, and raise sentence beginnings."""
    text = _GAP.sub(" ", text)
    text = _LOOSE.sub("", text)
    text = _STOPS.sub("", text)
    text = _SENTENCE.sub(lambda m: m[0].upper(), text)
    if _ENGLISH.search(text):  # "a" is a preposition elsewhere
        text = _ARTICLE.sub(r"\1n ", text)
    return text.strip()


@dataclass(frozen=True, slots=True)
class Expansion:
    """A grown text, and the characters in which the marked attack stands."""

    text: str
    span: tuple[int, int] | None


class Grammar:
    """Rules that grow texts.

    Args:
        rules: Alternatives by symbol, in the notation of this module.
        slots: Names that the caller of `grow` supplies.

    Raises:
        ValueError: A rule does not parse, or names a symbol that does not exist.
    """

    def __init__(self, rules: Mapping[str, Iterable[str]], slots: Iterable[str] = ()) -> None:
        self._rules: dict[str, tuple[_Node, ...]] = {
            name: tuple(_Parser(line).parse() for line in lines) for name, lines in rules.items()
        }
        self._check(set(slots))

    @classmethod
    def load(cls, *names: str, slots: Iterable[str] = ()) -> Grammar:
        """Read the word files of these names; a symbol in several files gets all alternatives."""
        rules: dict[str, list[str]] = {}
        for name in names:
            text = files("tinyguardrail_sdk.training.data").joinpath(f"words/{name}.txt")
            _read_rules(text.read_text("utf-8"), rules)
        return cls(rules, slots)

    def _check(self, slots: set[str]) -> None:
        known = set(self._rules) | slots
        for nodes in self._rules.values():
            known.update(node.bind for node in _walk(nodes) if isinstance(node, _Reference))
        for name, nodes in self._rules.items():
            if not nodes:
                raise ValueError(f"grammar symbol without alternatives: {name}")
            for node in _walk(nodes):
                if isinstance(node, _Reference | _Repeat) and node.name not in known:
                    raise ValueError(f"grammar symbol {name} names unknown {node.name}")

    def symbols(self, prefix: str = "") -> list[str]:
        """Names that begin with `prefix`, in file order."""
        return [name for name in self._rules if name.startswith(prefix)]

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._rules

    def grow(
        self,
        rng: random.Random,
        symbol: str,
        *,
        noise: Callable[[random.Random, str], str] | None = None,
        **slots: str,
    ) -> Expansion:
        """Grow a text from `symbol`; `noise` roughens it but leaves the slots' values alone."""
        growth = _Growth(rng, self._rules)
        marks = {chr(_SLOT + i): value for i, value in enumerate(slots.values())}
        growth.bound.update(zip(slots, marks, strict=True))
        text = _tidy(growth.rule(symbol))
        if noise is not None:
            text = noise(rng, text)
        for mark, value in marks.items():
            text = text.replace(mark, value)
        return _cut_marks(text)


def _cut_marks(text: str) -> Expansion:
    start, end = text.find(_OPEN), text.rfind(_CLOSE)
    if start < 0:
        return Expansion(text.replace(_CLOSE, ""), None)
    plain = text.replace(_OPEN, "").replace(_CLOSE, "")
    # Every inner mark before the end shifts it by one.
    inner = sum(text.count(mark, 0, end) for mark in (_OPEN, _CLOSE)) if end >= 0 else 0
    return Expansion(plain, (start, end - inner if end >= 0 else len(plain)))


def _walk(nodes: Iterable[_Node]) -> Iterable[_Node]:
    for node in nodes:
        yield node
        if isinstance(node, _Sequence):
            yield from _walk(node.parts)
        elif isinstance(node, _Choice):
            yield from _walk(node.branches)


def _read_rules(text: str, rules: dict[str, list[str]]) -> None:
    current: list[str] | None = None
    for line in text.splitlines():
        if line.startswith("@"):
            current = rules.setdefault(line[1:].strip(), [])
        elif line.strip() and not line.startswith("#"):
            if current is None:
                raise ValueError("a word file must open a symbol before its first line")
            current.append(line.strip())

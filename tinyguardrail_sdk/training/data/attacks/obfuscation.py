"""Attacks hidden by an encoding or a character trick, with and without a guide that undoes it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.attacks import goals
from tinyguardrail_sdk.training.data.attacks.disguise import GROUPS, TECHNIQUES, Disguise
from tinyguardrail_sdk.training.data.attacks.frames import Frames, is_held_out
from tinyguardrail_sdk.training.data.attacks.injection import injection
from tinyguardrail_sdk.training.data.grammar import Expansion, Grammar
from tinyguardrail_sdk.training.data.schema import Example

_SLOTS = ("code", "how", "rule", "shots", "program", "cover", "cover2", "trick")
_GROUP_WEIGHTS = {
    "flip": 30, "encoding": 24, "cipher": 15, "look": 14, "invisible": 8, "program": 12,
}  # fmt: skip
_BARE_SHARE = 0.35
MAX_PAYLOAD = 400  # characters; longer ones would not fit a window once encoded
_STACKABLE = ("rot13", "flip_fcs", "flip_fwo", "base64", "caesar", "atbash", "leetspeak", "url")
_PARTIAL = (
    "base64", "hex", "flip_fcs", "leetspeak", "homoglyphs_full", "letter_spacing", "dotted",
    "rot13", "fullwidth", "zero_width", "math_bold", "ascii_codes", "caesar", "disemvowel",
    "hyphenated", "morse", "small_caps", "unicode_escapes", "chr_sum", "upside_down", "emoji_gaps",
)  # fmt: skip
_TRICK_NAMES = {
    "flip_fcs": "reversed text", "ascii_codes": "ASCII codes", "ascii_list": "ASCII codes",
    "letter_numbers": "A=1, B=2", "url_full": "percent encoding", "url": "URL encoding",
    "nato": "the spelling alphabet", "rot13": "ROT13", "caesar": "a Caesar shift of 3",
    "caesar_5": "a Caesar shift of 5", "caesar_7": "a Caesar shift of 7",
    "caesar_19": "a Caesar shift of 19", "vigenere": "Vigenere with the key lemon",
    "rail_fence": "a rail fence with 3 rails", "polybius": "a Polybius square",
    "disemvowel": "missing vowels", "opish": "op after each consonant", "hex": "hexadecimal",
}  # fmt: skip
_PLAIN = (
    "how are you today", "the cat sleeps on the sofa", "bake a cake", "good morning everyone",
    "what time is it", "birds fly south in winter", "please close the door", "tell me a story",
    "my favourite colour is green", "write an essay on rivers", "the train leaves at nine",
    "count from one to ten", "where is the library", "water the plants", "I like old maps",
    "draw a small house", "sing a happy song", "list five fruits", "open the window", "hello world",
)  # fmt: skip


@cache
def _parts() -> tuple[Grammar, Frames]:
    grammar = Grammar.load("base", "wrappers", slots=_SLOTS)
    return grammar, Frames(grammar, "obfuscation")


@cache
def _frames_for(group: str, heldout: bool) -> tuple[list[str], list[str]]:
    """Frames without and with a guide that suit a group of disguises."""
    _, frames = _parts()
    suited = {"guide", "bare", group} if group != "invisible" else {"bare", "invisible"}
    fitting = [s for s in frames.all(heldout=heldout) if s[6:].split("/")[0] in suited]
    bare = [s for s in fitting if s.startswith("frame:bare/")]
    guided = [s for s in fitting if s not in bare]
    # A small group may have no guide of its own on one side of the split.
    return bare, guided or [s for s in frames.all(heldout=heldout) if s.startswith("frame:guide/")]


def generate(
    rng: random.Random, count: int, payloads: Sequence[str] = (), *, heldout: bool = False
) -> Iterator[Example]:
    """Yield `count` disguised attacks on `payloads` (of any kind), our goals and injections."""
    groups = list(_GROUP_WEIGHTS)
    weights = list(_GROUP_WEIGHTS.values())
    for _ in range(count):
        group = rng.choices(groups, weights)[0]
        name = rng.choice(list(GROUPS[group]))
        yield obfuscate(rng, _payload(rng, payloads, heldout), name, heldout=heldout)


def obfuscate(
    rng: random.Random, payload: str, technique: str, *, heldout: bool = False
) -> Example:
    """One attack: `payload` under `technique` (a name in `TECHNIQUES`), in a frame or bare."""
    group = _group(technique)
    code, name = _disguised(rng, payload, technique)
    bare, guided = _frames_for(group, heldout)
    alone = rng.random() < _BARE_SHARE and is_held_out(f"bare/{technique}") == heldout
    if alone:
        symbol = rng.choice(bare) if bare and rng.random() < 0.4 else "frame:bare/alone"
        family = f"obfuscation:bare/{technique}"
    else:
        symbol = rng.choice(guided)
        family = f"obfuscation:{symbol.removeprefix('frame:')}"
    grown = _grow(rng, symbol, group, technique, code)
    return Example(
        text=grown.text,
        label=Label.OBFUSCATION,
        technique=name,
        family=family,
        span=grown.span or (0, len(grown.text)),
    )


def asked(
    rng: random.Random, payload: str, technique: str, *, heldout: bool = False
) -> tuple[str, tuple[int, int]]:
    """`payload` under `technique` in a frame that guides the reader; where the attack stands."""
    group = _group(technique)
    _, guided = _frames_for(group, heldout)
    grown = _grow(rng, rng.choice(guided), group, technique, TECHNIQUES[technique](payload))
    return grown.text, grown.span or (0, len(grown.text))


def _group(technique: str) -> str:
    return next(group for group, members in GROUPS.items() if technique in members)


def _payload(rng: random.Random, payloads: Sequence[str], heldout: bool) -> str:
    if rng.random() < 0.3:
        text = injection(rng, heldout=heldout).text
    else:
        text = goals.pick(rng, payloads, heldout=heldout)
    if len(text) > MAX_PAYLOAD:
        text = text[:MAX_PAYLOAD].rpartition(" ")[0]
    return text


def _disguised(rng: random.Random, payload: str, technique: str) -> tuple[str, str]:
    """The payload under the technique, now and then under two or only in its telling words."""
    disguise = TECHNIQUES[technique]
    draw = rng.random()
    if draw < 0.06:
        first = rng.choice(_STACKABLE)
        return disguise(TECHNIQUES[first](payload)), f"{technique}+{first}"
    if draw < 0.18 and technique in _PARTIAL and len(payload.split()) > 3:
        return _in_part(rng, payload, disguise), f"{technique}/partial"
    return disguise(payload), technique


def _in_part(rng: random.Random, payload: str, disguise: Disguise) -> str:
    """Only one to three of the longest words disguised."""
    words = payload.split()
    longest = sorted(range(len(words)), key=lambda i: -len(words[i]))[:4]
    for at in rng.sample(longest, min(len(longest), rng.randint(1, 3))):
        words[at] = disguise(words[at])
    return " ".join(words)


def _grow(rng: random.Random, symbol: str, group: str, technique: str, code: str) -> Expansion:
    grammar, _ = _parts()
    trick = _TRICK_NAMES.get(technique, technique.replace("_", " "))
    key = technique if f"how:{technique}" in grammar else group
    program = f"program:{technique}" if f"program:{technique}" in grammar else "program:other"
    slots = {
        "code": code,
        "how": grammar.grow(rng, f"how:{key}", trick=trick).text,
        "rule": grammar.grow(rng, f"rule:{key}", trick=trick).text,
        "shots": _shots(rng, TECHNIQUES[technique]),
        "program": grammar.grow(rng, program).text,
        "cover": grammar.grow(rng, "benign_lead").text,
        "cover2": grammar.grow(rng, "snippet").text,
    }
    return grammar.grow(rng, symbol, noise=None, **slots)


def _shots(rng: random.Random, disguise: Disguise) -> str:
    """Two or three worked examples on harmless sentences."""
    arrow = rng.choice((" -> ", " => ", " = ", " means ", ": ", "  |  ", " ~ "))
    lead = rng.choice(("", "- ", "Example: ", "e.g. ", "* "))
    lines = []
    for plain in rng.sample(_PLAIN, rng.randint(2, 3)):
        pair = (disguise(plain), plain)
        lines.append(lead + arrow.join(pair))
    return "\n".join(lines)

"""How people really type: casing, punctuation, typos and chat spelling, from a seeded generator."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_CHAT = {
    "you": "u", "your": "ur", "please": "pls", "are": "r", "because": "cuz", "before": "b4",
    "people": "ppl", "with": "w/", "about": "abt", "without": "w/o", "want": "wanna",
    "going to": "gonna", "instructions": "instrs", "message": "msg", "something": "smth",
    "for": "4", "to": "2", "see": "c", "okay": "k", "right now": "rn", "through": "thru",
}  # fmt: skip
_CHAT_WORD = re.compile(r"\b(" + "|".join(sorted(_CHAT, key=len, reverse=True)) + r")\b")
_NEAR = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj",
    "i": "uo", "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w",
    "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu",
    "z": "x",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z]{4,}")
_FILLERS = ("lol", "thx", "pls", "ok?", "btw", "...", "!!", "!!!", "??", ":)", "asap", "ty", "k?")


def _typo(rng: random.Random, word: str) -> str:
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    if kind == 2:
        return word[:at] + word[at] + word[at:]
    near = _NEAR.get(word[at].lower())
    return word[:at] + rng.choice(near) + word[at + 1 :] if near else word


def typos(rng: random.Random, text: str, share: float = 0.08) -> str:
    """Misspell about `share` of the longer words."""
    return _WORD.sub(lambda m: _typo(rng, m[0]) if rng.random() < share else m[0], text)


def lower(rng: random.Random, text: str) -> str:
    """All in lower case, often without the final full stop."""
    text = text.lower()
    return text.rstrip(".") if rng.random() < 0.6 else text


def chat(rng: random.Random, text: str) -> str:
    """Lower case with messenger spelling."""
    rate = rng.uniform(0.3, 0.9)
    text = _CHAT_WORD.sub(lambda m: _CHAT[m[0]] if rng.random() < rate else m[0], text.lower())
    text = text.replace("'", "") if rng.random() < 0.5 else text
    return f"{text.rstrip('.')} {rng.choice(_FILLERS)}" if rng.random() < 0.3 else text


def shout(rng: random.Random, text: str) -> str:
    """Capitals throughout, or in one stretch."""
    if rng.random() < 0.6:
        return text.upper() + "!" * rng.choice((0, 0, 1, 3))
    words = text.split(" ")
    start = rng.randrange(len(words))
    end = min(len(words), start + rng.randint(1, 6))
    return " ".join(words[:start] + [word.upper() for word in words[start:end]] + words[end:])


def unpunctuated(rng: random.Random, text: str) -> str:
    """Commas and full stops dropped."""
    return re.sub(r"[,;]|\.(?=\s|$)", "", text) if rng.random() < 0.7 else text.replace(",", "")


def respaced(rng: random.Random, text: str) -> str:
    """Line breaks or doubled blanks where a copy and paste would leave them."""
    if rng.random() < 0.5:
        return re.sub(r"(?<=[.!?:]) ", lambda m: rng.choice((" ", "\n", "\n\n", "  ")), text)
    return re.sub(r"(?<=[.!?]) ", "", text)


def emphasis(rng: random.Random, text: str) -> str:
    """Exclamation marks, stars or quotation marks around the whole."""
    left, right = rng.choice(
        (("**", "**"), ('"', '"'), ("", "!!!"), (">> ", " <<"), ("*", "*"), ("", " !"), ("> ", ""),
         ("'", "'"), ("- ", ""), ("\n", "\n"), ("“", "”"), ("_", "_"), ("# ", ""),
         ("```\n", "\n```"))
    )  # fmt: skip
    return left + text + right


_KINDS: tuple[Callable[[random.Random, str], str], ...] = (
    lower, lower, chat, typos, typos, shout, unpunctuated, respaced, emphasis,
)  # fmt: skip


def roughen(rng: random.Random, text: str) -> str:
    """Leave most texts as they are; one or two kinds of noise for four in ten."""
    draw = rng.random()
    if draw < 0.6:
        return text
    for _ in range(1 if draw < 0.9 else 2):
        text = rng.choice(_KINDS)(rng, text)
    return text


def clause(rng: random.Random, text: str) -> str:
    """End, case and quote one short clause as it comes: none of that tells what it asks for."""
    text = text.rstrip(".!。！ ")
    if text.endswith("?"):
        text = text if rng.random() < 0.7 else text[:-1]
    elif text.isascii():
        text += rng.choice(("", "", ".", ".", "!", "!!")) if text[-1] != '"' else ""
    else:  # not every script ends in a full stop
        text += rng.choice(("", "", "!"))
    draw = rng.random()
    if draw < 0.2:
        text = text.lower()
    elif draw < 0.3:
        text = text.upper()
    if '"' not in text and rng.random() < 0.12:
        left, right = rng.choice((('"', '"'), ("'", "'"), ("“", "”"), ("**", "**"), ("(", ")")))
        text = left + text + right
    return typos(rng, text, 0.25) if rng.random() < 0.06 else text

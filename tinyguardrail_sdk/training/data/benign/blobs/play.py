"""Odd letters of people at play: puzzles, gamer chat, fancy names, mixed scripts, bad scans."""

from __future__ import annotations

import random
import string

from tinyguardrail_sdk.training.data.attacks.disguise import CIPHERS, ENCODINGS, LOOKS
from tinyguardrail_sdk.training.data.benign.blobs.size import Blob, many
from tinyguardrail_sdk.training.data.carriers import phrase

_PLAIN = (
    "statement",
    "chat",
    "phrase",
    "word3",
    "topic",
    "creative",
    "dish",
    "reminder",
    "snippet",
)
_EMOJI = "😀😂🥲😍🤔😎😭🙏👍👀🎉🔥💀✨❤️💙🍕☕🌧️🌸🐱🐶🚀⚽🎮📚✅❌⚠️🏖️🥳🤷😴🍰🎂🙌🤝💡📅"
_SCANNED = {
    "l": "1I", "I": "l1", "o": "0", "O": "0", "rn": "m", "m": "rn", "e": "c", "S": "5", "B": "8",
    "h": "b", "cl": "d", " ": ("  ", "", " . "), "t": "f", "fi": "ﬁ", "u": "ii", "-": "~",
}  # fmt: skip
_ALIENS = {
    "greek": dict(zip("abegiklmnoprstuvx", "αβεγικλμνοπρστυωχ", strict=True)),
    "cyrillic": dict(zip("abcdegiklmnoprstuvxyz", "абцдегиклмнопрстувхйз", strict=True)),
}
_SPOKEN = (
    "gg wp|who has the healer role|need ammo at mid|nice shot dude|brb dinner|noob team again|"
    "push the left tower|carry me please|lag is killing me|first blood|new skin looks elite|"
    "anyone up for ranked|drop me some wood|the boss has 20 percent left|rush b no stop|"
    "afk two minutes"
).split("|")
_PALINDROMES = (
    "level|noon|radar|never odd or even|was it a car or a cat I saw|step on no pets|racecar|"
    "a nut for a jar of tuna|no lemon no melon|civic|rotator|top spot|don't nod|stats"
).split("|")


def plain(rng: random.Random) -> str:
    """Harmless words to be dressed up."""
    words = phrase(rng, rng.choice(_PLAIN))
    return words if rng.random() < 0.7 else f"{words} {phrase(rng, rng.choice(_PLAIN))}"


def cipher(rng: random.Random) -> str:
    """A puzzle in a cipher, a code or Morse."""
    known = {**CIPHERS, **{name: ENCODINGS[name] for name in ("morse", "morse", "binary", "nato")}}
    name = rng.choice([*known, "morse", "caesar", "caesar_7", "rot13", "atbash"])
    hidden = known[name](plain(rng))
    lead = rng.choice(("", "", "Puzzle {n}: ", "{n}) ", "Cryptogram no. {n}\n", "Clue {n} - "))
    return lead.format(n=rng.randint(1, 99)) + hidden


def fancy(rng: random.Random) -> str:
    """Names and mottos in Unicode's mathematical and other decorative letters."""
    styles = ("math_bold", "math_script", "math_mono", "circled", "fullwidth", "small_caps",
              "upside_down", "accents", "letter_spacing")  # fmt: skip
    words = phrase(
        rng, rng.choice(("fullname", "word3", "city", "hobby", "first", "phrase", "chat"))
    )
    dressed = LOOKS[rng.choice(styles)](words)
    side = rng.choice(("", "", "★", "꧁", "·.¸", "✧", "♡", "⚡"))
    return f"{side} {dressed} {side[::-1]}".strip()


def aliens(rng: random.Random) -> str:
    """English with the letters of another alphabet in some words, as brands and typists do."""
    table = rng.choice(list(_ALIENS.values()))
    words = (plain(rng) + " " + plain(rng)).split()
    share = rng.uniform(0.15, 0.7)
    return " ".join(
        "".join(table.get(c, c) for c in word.lower()) if rng.random() < share else word
        for word in words
    )


def scan(rng: random.Random) -> str:
    """Text as a bad scanner reads it."""
    sentences = many(rng, 1, 12)
    text = " ".join(phrase(rng, "statement") for _ in range(sentences))
    rate = rng.uniform(0.03, 0.2)
    for seen, misread in _SCANNED.items():
        pieces = text.split(seen)
        joints = [rng.choice(misread) if rng.random() < rate else seen for _ in pieces]
        text = "".join(joint + piece for joint, piece in zip(joints, pieces, strict=True))[
            len(joints[0]) :
        ]
    width = rng.choice((34, 46, 60, 900))
    hyphen = rng.choice(("\n", "-\n"))
    return hyphen.join(text[at : at + width] for at in range(0, len(text), width))


def gamer(rng: random.Random) -> str:
    """Leetspeak between players."""
    rows = []
    for _ in range(many(rng, 1, 10)):
        said = LOOKS[rng.choice(("leetspeak", "leetspeak", "odd_case"))](rng.choice(_SPOKEN))
        player = LOOKS["leetspeak"](phrase(rng, "animal")) + str(rng.randrange(100))
        rows.append(f"{rng.choice(('', 'xX', ''))}{player}: {said}" if rng.random() < 0.6 else said)
    return "\n".join(rows)


def emoji(rng: random.Random) -> str:
    """Chat with more pictures than it needs."""
    rows = []
    for _ in range(many(rng, 1, 8)):
        words = phrase(rng, rng.choice(("chat", "chat", "review", "word3"))).split()
        rate = rng.uniform(0.05, 0.5)
        shown = [word + (_pictures(rng) if rng.random() < rate else "") for word in words]
        rows.append(" ".join(shown) + _pictures(rng))
    return "\n".join(rows)


def _pictures(rng: random.Random) -> str:
    return "".join(rng.choices([c for c in _EMOJI if c != "\ufe0f"], k=rng.randint(1, 4)))


def word_game(rng: random.Random) -> str:
    """Palindromes, reversed words, anagrams and grids of letters."""
    words = [phrase(rng, rng.choice(("animal", "city", "job", "hobby"))) for _ in range(5)]
    words = words[: rng.randint(1, 5)]
    style = rng.randrange(4)
    if style == 0:
        return rng.choice(("; ", "\n", ", ")).join(rng.sample(_PALINDROMES, rng.randint(1, 6)))
    if style == 1:
        return "\n".join(word[::-1] for word in words)
    if style == 2:
        return ", ".join("".join(rng.sample(word, len(word))) for word in words)
    side = rng.randint(6, 16)
    alphabet = "ABCDEFGHIJKLMNOPRSTUVWY"
    grid = [[rng.choice(alphabet) for _ in range(side)] for _ in range(side)]
    for word, row in zip(words, rng.sample(range(side), len(words)), strict=True):
        clean = word.replace(" ", "").upper()[:side]
        grid[row][: len(clean)] = clean
    return "\n".join(" ".join(row) for row in grid) + "\n\n" + ", ".join(words)


def repetition(rng: random.Random) -> str:
    """A key held down, a line of one sign, a word typed again and again."""
    unit = rng.choice(
        (
            rng.choice(string.ascii_letters + string.digits),
            rng.choice("-=_*.#~:/|+!?"),
            rng.choice(("ha", "lol ", "na ", "no ", "test ", "blah ", "0 1 ", "ab", "wow! ")),
            phrase(rng, "word3").split()[0] + " ",
        )
    )
    length = rng.choice((rng.randint(12, 80), rng.randint(80, 500), rng.randint(500, 2500)))
    return (unit * (length // len(unit) + 2)).strip()


PLAY: dict[str, Blob] = {
    "cipher puzzle": cipher,
    "fancy letters": fancy,
    "mixed alphabets": aliens,
    "scanned page": scan,
    "gamer chat": gamer,
    "emoji chat": emoji,
    "word game": word_game,
    "repetition": repetition,
}

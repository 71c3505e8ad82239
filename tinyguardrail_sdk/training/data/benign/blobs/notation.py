"""Notations of trades and sciences: formulas, moves, notes and sounds."""

from __future__ import annotations

import random

from tinyguardrail_sdk.training.data.benign.blobs.size import Blob, letters, lines, many
from tinyguardrail_sdk.training.data.carriers import phrase

_GREEK = "alpha beta gamma delta epsilon theta lambda mu pi rho sigma phi omega".split()


def latex(rng: random.Random) -> str:
    """Formulas in LaTeX."""

    def term(rng: random.Random, depth: int = 2) -> str:
        if depth == 0:
            return rng.choice(
                (rng.choice("xyzabknt"), "\\" + rng.choice(_GREEK), str(rng.randrange(99)))
            )
        a, b = term(rng, depth - 1), term(rng, depth - 1)
        return rng.choice(
            (f"\\frac{{{a}}}{{{b}}}", f"\\sqrt{{{a}}}", f"{a}^{{{b}}}", f"{a} + {b}",
             f"{a}_{{{b}}}", f"\\sum_{{i=0}}^{{n}} {a}", f"\\int_0^\\infty {a}\\,dt",
             f"{a} - {b}",
             f"\\left({a}\\right)", f"\\partial_{{{rng.choice('xyt')}}} {a}", f"\\log {a}")
        )  # fmt: skip

    def one(rng: random.Random) -> str:
        left, right = term(rng, 1), term(rng, rng.randint(1, 3))
        relation = rng.choice(("=", "=", "\\leq", "\\approx"))
        body = f"{left} {relation} {right}"
        return rng.choice(
            ("${}$", "\\[ {} \\]", "{}", "\\begin{equation} {} \\end{equation}")
        ).replace("{}", body)

    return lines(rng, one, 1, 14)


def chemistry(rng: random.Random) -> str:
    """Formulas, reactions and SMILES."""
    elements = "H C N O Na Mg Al Si P S Cl K Ca Fe Cu Zn Ag I Pb Mn".split()

    def formula(rng: random.Random) -> str:
        parts = rng.sample(elements, rng.randint(1, 4))
        return "".join(
            part + rng.choice(("", "", "2", "3", str(rng.randint(4, 12)))) for part in parts
        )

    def reaction(rng: random.Random) -> str:
        sides = [
            " + ".join(
                rng.choice(("", "2 ", "3 ")) + formula(rng) for _ in range(rng.randint(1, 3))
            )
            for _ in range(2)
        ]
        return rng.choice((" -> ", " → ", " ⇌ ", " = ")).join(sides)

    def smiles(rng: random.Random) -> str:
        atoms = (
            "C",
            "C",
            "CC",
            "O",
            "N",
            "C(=O)",
            "c1ccccc1",
            "C(C)",
            "OC",
            "[Na+]",
            "C#N",
            "S",
            "F",
        )
        return "".join(rng.choice(atoms) for _ in range(many(rng, 3, 14)))

    one = rng.choice((formula, reaction, reaction, smiles))
    return lines(rng, one, 1, 20)


def sounds(rng: random.Random) -> str:
    """Words in phonetic letters, beside their spelling or alone."""
    onsets = "p b t d k ɡ f v θ ð s z ʃ ʒ h m n l ɹ w j tʃ dʒ ŋ x ç ʁ".split()
    nuclei = "ɪ e æ ʌ ʊ ə iː uː ɑː ɔː ɜː eɪ aɪ ɔɪ aʊ əʊ ɛ y ø ɐ".split()

    def word(rng: random.Random) -> str:
        sounds = [rng.choice(onsets) + rng.choice(nuclei) for _ in range(rng.randint(1, 4))]
        return "ˈ" * (len(sounds) > 1) + rng.choice(("", ".")).join(sounds) + rng.choice(onsets)

    left, right = rng.choice((("/", "/"), ("[", "]")))
    if rng.random() < 0.5:
        return left + " ".join(word(rng) for _ in range(many(rng, 3, 60))) + right
    return lines(rng, lambda rng: f"{phrase(rng, 'word3')} {left}{word(rng)}{right}", 2, 20)


def chess(rng: random.Random) -> str:
    """Moves in algebraic notation, or a position in FEN."""

    def move(rng: random.Random) -> str:
        square = rng.choice("abcdefgh") + rng.choice("12345678")
        if rng.random() < 0.07:
            return rng.choice(("O-O", "O-O-O"))
        take = rng.choice(("", "", "x"))
        return (
            rng.choice(("", "N", "B", "Q", "R", "K"))
            + take
            + square
            + rng.choice(("", "", "", "+"))
        )

    def row(rng: random.Random) -> str:
        return rng.choice(("8", "pppppppp", "".join(rng.sample("pPnNbBrRqQkK12", 6)), "p2Pp3"))

    if rng.random() < 0.25:
        return "/".join(row(rng) for _ in range(8)) + f" w KQkq - 0 {rng.randint(1, 60)}"
    moves = " ".join(f"{i}. {move(rng)} {move(rng)}" for i in range(1, many(rng, 4, 60)))
    if rng.random() < 0.4:
        white, black = phrase(rng, "fullname"), phrase(rng, "fullname")
        moves = f'[White "{white}"]\n[Black "{black}"]\n[Result "1-0"]\n\n{moves}'
    return moves + rng.choice(("", " 1-0", " 1/2-1/2", " 0-1"))


def music(rng: random.Random) -> str:
    """Tablature, chords over bars, or ABC notation."""
    style = rng.randrange(3)
    if style == 0:
        width = rng.randint(16, 60)
        marks = [*"------------", *"0123579", "h", "|"]
        return "\n".join(f"{string}|{''.join(rng.choices(marks, k=width))}|" for string in "eBGDAE")
    if style == 1:
        chords = "C Am F G7 Em Dm7 Bb E7 A D F#m Gsus4 Cmaj7 B7".split()
        one = lambda rng: "| " + " | ".join(rng.choices(chords, k=4)) + " |"  # noqa: E731
        return lines(rng, one, 2, 12)
    meter = rng.choice(("4/4", "3/4", "6/8"))
    head = f"X:{rng.randrange(99)}\nT:{phrase(rng, 'topic').title()}\nM:{meter}"
    bars = (letters(rng, "ABCDEFGabcdefg234/^z", 4, 9) for _ in range(many(rng, 4, 40)))
    return f"{head}\nL:1/8\nK:{rng.choice('CDGAF')}\n{' | '.join(bars)} |]"


def knitting(rng: random.Random) -> str:
    """Rows of a knitting or crochet pattern."""
    stitches = "k2tog yo k3 p2 ssk k1 p1 sl1 m1 kfb sc dc hdc ch3".split()
    counter = iter(range(1, 100))

    def one(rng: random.Random) -> str:
        row = ", ".join(rng.choices(stitches, k=rng.randint(3, 9)))
        return f"Row {next(counter)}: *{row}* rep to end ({rng.randint(12, 140)} sts)"

    return lines(rng, one, 2, 20)


def weather(rng: random.Random) -> str:
    """METAR reports and tide lines."""

    def one(rng: random.Random) -> str:
        station = letters(rng, "EGKLOPSDC", 4, 5)[:4]
        wind = f"{rng.randrange(0, 360, 10):03}{rng.randint(1, 40):02}KT"
        sky = rng.choice(("SCT", "BKN", "OVC", "FEW")) + f"{rng.randint(1, 90):03}"
        pressure = f"Q10{rng.randint(0, 40):02}"
        temperature = f"{rng.randint(1, 30):02}/{rng.randint(0, 20):02}"
        stamp = f"{rng.randint(1, 28):02}{rng.randrange(2400):04}Z"
        return (
            f"METAR {station} {stamp} {wind} {rng.randint(1, 9)}000 {sky} {temperature} {pressure}"
        )

    return lines(rng, one, 1, 15)


NOTATIONS: dict[str, Blob] = {
    "LaTeX": latex,
    "chemical formulas": chemistry,
    "phonetic text": sounds,
    "chess notation": chess,
    "music": music,
    "knitting pattern": knitting,
    "weather code": weather,
}

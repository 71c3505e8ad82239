"""Tricks of look: other code points, other spacing, characters that nobody sees.

Those that leave some characters alone take the choice from the text itself, so every function is
pure: the same text is always disguised the same way.
"""

from __future__ import annotations

import random
import zlib

_LEET = {
    "a": "4@", "b": "8", "e": "3", "g": "9", "i": "1!", "l": "1", "o": "0", "s": "5$", "t": "7+",
}  # fmt: skip
_LEET_HARD = {"c": "(", "d": "|)", "h": "#", "k": "|<", "m": "|V|", "n": "|\\|", "r": "|2",
                      "u": "|_|", "v": "\\/", "w": "\\/\\/", "x": "><", "z": "2"}  # fmt: skip
_LOOKALIKES = {
    "a": "аɑα", "b": "Ьƅ", "c": "сϲ", "d": "ԁɗ", "e": "еҽ", "g": "ɡց", "h": "һհ", "i": "іι",
    "j": "јϳ", "k": "κк", "l": "ӏⅼ", "m": "ⅿм", "n": "ոп", "o": "оοօ", "p": "рρ", "q": "ԛգ",
    "r": "гᴦ", "s": "ѕꜱ", "t": "тτ", "u": "սυ", "v": "ѵν", "w": "ԝѡ", "x": "хχ", "y": "уү",
    "z": "ᴢʐ", "A": "АΑ", "B": "ВΒ", "C": "СϹ", "E": "ЕΕ", "H": "НΗ", "I": "ІΙ", "J": "Ј",
    "K": "КΚ", "M": "МΜ", "N": "Ν", "O": "ОΟ", "P": "РΡ", "S": "Ѕ", "T": "ТΤ",
    "X": "ХΧ", "Y": "ҮΥ", "Z": "Ζ",
}  # fmt: skip
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_BOLD, _SCRIPT, _MONO = 0x1D400, 0x1D4D0, 0x1D670
_SMALL_CAPS = str.maketrans("abcdefghijklmnoprstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ")
_UPSIDE_DOWN = str.maketrans("abcdefghijklmnopqrstuvwxyz.,?!'", "ɐqɔpǝɟƃɥᴉɾʞlɯuodbɹsʇnʌʍxʎz˙'¿¡,")


def _chooser(text: str) -> random.Random:
    return random.Random(zlib.crc32(text.encode("utf-8", "replace")))


def leetspeak(text: str) -> str:
    """Digits for letters, most of the time."""
    choose = _chooser(text)
    return "".join(
        choose.choice(_LEET[c.lower()]) if c.lower() in _LEET and choose.random() < 0.85 else c
        for c in text
    )


def leetspeak_hard(text: str) -> str:
    """Signs for nearly every letter."""
    return "".join(_LEET[c][0] if c in _LEET else _LEET_HARD.get(c, c) for c in text.lower())


def letter_spacing(text: str, separator: str = " ") -> str:
    """`separator` between all letters, three between words."""
    gap = separator if separator.strip() else separator * 3
    words = [separator.join(word) for word in text.split()]
    return (gap if gap != separator else " ").join(words)


def dotted(text: str) -> str:
    """A full stop between the letters of each word."""
    return letter_spacing(text, ".")


def hyphenated(text: str) -> str:
    """A hyphen between the letters of each word."""
    return letter_spacing(text, "-")


def split_words(text: str) -> str:
    """A blank or a sign within every longer word."""
    choose = _chooser(text)
    parts = []
    for word in text.split():
        if len(word) > 3:
            at = choose.randrange(1, len(word))
            word = word[:at] + choose.choice((" ", "-", ".", "_", "*", "~", "+")) + word[at:]
        parts.append(word)
    return " ".join(parts)


def no_spaces(text: str) -> str:
    """All blanks dropped."""
    return "".join(text.split())


def camel(text: str) -> str:
    """Blanks dropped, each word raised."""
    return "".join(word[:1].upper() + word[1:] for word in text.split())


def odd_case(text: str) -> str:
    """UPpEr and lower case in turn."""
    return "".join(c.upper() if i % 2 else c.lower() for i, c in enumerate(text))


def homoglyphs(text: str, share: float = 0.45) -> str:
    """About `share` of the letters replaced by look-alikes of other scripts."""
    choose = _chooser(text)
    return "".join(
        choose.choice(_LOOKALIKES[c]) if c in _LOOKALIKES and choose.random() < share else c
        for c in text
    )


def homoglyphs_full(text: str) -> str:
    """Every letter that has a look-alike replaced."""
    return homoglyphs(text, 1.0)


def fullwidth(text: str) -> str:
    """Fullwidth forms of ASCII."""
    return "".join(
        chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else "\u3000" if c == " " else c for c in text
    )


def _mathematical(text: str, base: int) -> str:
    return "".join(
        chr(base + ord(c) - 65)
        if "A" <= c <= "Z"
        else chr(base + 26 + ord(c) - 97)
        if "a" <= c <= "z"
        else c
        for c in text
    )


def math_bold(text: str) -> str:
    """Mathematical bold letters."""
    return _mathematical(text, _BOLD)


def math_script(text: str) -> str:
    """Mathematical bold script letters."""
    return _mathematical(text, _SCRIPT)


def math_mono(text: str) -> str:
    """Mathematical monospace letters."""
    return _mathematical(text, _MONO)


def circled(text: str) -> str:
    """Letters in circles."""
    return "".join(
        chr(0x24D0 + ord(c) - 97)
        if "a" <= c <= "z"
        else chr(0x24B6 + ord(c) - 65)
        if "A" <= c <= "Z"
        else c
        for c in text
    )


def small_caps(text: str) -> str:
    """Small capitals from the phonetic blocks."""
    return text.lower().translate(_SMALL_CAPS)


def upside_down(text: str) -> str:
    """Turned letters, last first."""
    return text.lower().translate(_UPSIDE_DOWN)[::-1]


def regional(text: str) -> str:
    """Regional indicator symbols for letters, blanks doubled."""
    return " ".join(chr(0x1F1E6 + ord(c) - 97) if "a" <= c <= "z" else c for c in text.lower())


def accents(text: str) -> str:
    """A combining mark after most letters."""
    choose = _chooser(text)
    return "".join(
        c + chr(choose.randrange(0x300, 0x315)) if c.isalpha() and choose.random() < 0.7 else c
        for c in text
    )


def zalgo(text: str) -> str:
    """Two to six combining marks after every letter."""
    choose = _chooser(text)
    return "".join(
        c + "".join(chr(choose.randrange(0x300, 0x36F)) for _ in range(choose.randint(2, 6)))
        if c.isalpha()
        else c
        for c in text
    )


def zero_width(text: str) -> str:
    """Invisible characters between about half of the letters."""
    choose = _chooser(text)
    return "".join(c + (choose.choice(_INVISIBLE) if choose.random() < 0.5 else "") for c in text)


def soft_hyphens(text: str) -> str:
    """A soft hyphen inside every word."""
    return " ".join("\u00ad".join(word) if len(word) > 2 else word for word in text.split(" "))


def zero_width_bits(text: str) -> str:
    """Each bit as one of two invisible characters, behind one visible letter."""
    bits = "".join(f"{byte:08b}" for byte in text.encode("utf-8", "replace"))
    return "A" + bits.replace("0", "\u200b").replace("1", "\u200c")


def tags(text: str) -> str:
    """Unicode tag characters: invisible copies of ASCII, behind a flag."""
    return "\U0001f3f4" + "".join(chr(0xE0000 + ord(c)) for c in text if " " <= c <= "~")


def variation_selectors(text: str) -> str:
    """Bytes as variation selectors behind one emoji."""
    return "\U0001f600" + "".join(
        chr(0xFE00 + byte) if byte < 16 else chr(0xE0100 + byte - 16)
        for byte in text.encode("utf-8", "replace")
    )


def right_to_left(text: str) -> str:
    """Reversed, with an override mark that shows it the right way round."""
    return "\u202e" + text[::-1] + "\u202c"


def emoji_gaps(text: str) -> str:
    """An emoji in place of every blank."""
    choose = _chooser(text)
    return "".join(choose.choice("😀🔥✨🌟💥🎉🚀🌈🍀💎") if c == " " else c for c in text)


def slashes(text: str) -> str:
    """A backslash before every character."""
    return "".join("\\" + c for c in text)

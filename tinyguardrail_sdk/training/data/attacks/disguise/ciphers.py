"""Letter ciphers and word games."""

from __future__ import annotations

import re

_LETTERS = re.compile(r"[A-Za-z]")
_WORD = re.compile(r"[A-Za-z]+")


def caesar(text: str, shift: int = 3) -> str:
    """Latin letters moved on by `shift`."""

    def move(match: re.Match[str]) -> str:
        base = 65 if match[0].isupper() else 97
        return chr((ord(match[0]) - base + shift) % 26 + base)

    return _LETTERS.sub(move, text)


def rot13(text: str) -> str:
    """Caesar by 13."""
    return caesar(text, 13)


def atbash(text: str) -> str:
    """A <-> z, b <-> y and so on."""

    def mirror(match: re.Match[str]) -> str:
        base = 65 if match[0].isupper() else 97
        return chr(base + 25 - (ord(match[0]) - base))

    return _LETTERS.sub(mirror, text)


def vigenere(text: str, key: str = "lemon") -> str:
    """Caesar whose shift follows the letters of `key`."""
    at = -1

    def move(match: re.Match[str]) -> str:
        nonlocal at
        at += 1
        return caesar(match[0], ord(key[at % len(key)]) - 97)

    return _LETTERS.sub(move, text)


def rail_fence(text: str, rails: int = 3) -> str:
    """Written in a zigzag over `rails` lines and read line by line."""
    rows = [""] * rails
    for i, char in enumerate(text):
        at = i % (2 * rails - 2)
        rows[min(at, 2 * rails - 2 - at)] += char
    return "".join(rows)


def polybius(text: str) -> str:
    """Row and column in a 5 x 5 square; i and j share a cell."""
    square = "abcdefghiklmnopqrstuvwxyz"
    words = []
    for word in text.lower().replace("j", "i").split():
        cells = [square.find(char) for char in word if char in square]
        words.append(" ".join(f"{at // 5 + 1}{at % 5 + 1}" for at in cells))
    return " / ".join(words)


def keyboard_shift(text: str) -> str:
    """Each letter replaced by its right neighbour on the keyboard."""
    rows = "qwertyuiop", "asdfghjkl", "zxcvbnm"
    table = {}
    for row in rows:
        for char, neighbour in zip(row, row[1:] + row[0], strict=True):
            table[ord(char)] = neighbour
            table[ord(char.upper())] = neighbour.upper()
    return text.translate(table)


def pig_latin(text: str) -> str:
    """Leading consonants to the end, then 'ay'."""

    def turn(match: re.Match[str]) -> str:
        word = match[0]
        head = re.match(r"[^aeiouAEIOU]*", word)
        cut = head.end() if head else 0
        if cut == 0:
            return word + "way"
        turned = word[cut:] + word[:cut].lower() + "ay"
        return turned.capitalize() if word[0].isupper() else turned

    return _WORD.sub(turn, text)


def disemvowel(text: str) -> str:
    """Vowels dropped from words of three and more letters."""
    return _WORD.sub(
        lambda m: m[0][0] + re.sub("[aeiouAEIOU]", "", m[0][1:]) if len(m[0]) > 2 else m[0], text
    )


def swap_first_last(text: str) -> str:
    """First and last letter of each word exchanged."""
    return _WORD.sub(lambda m: m[0][-1] + m[0][1:-1] + m[0][0] if len(m[0]) > 2 else m[0], text)


def swap_pairs(text: str) -> str:
    """Neighbouring letters of each word exchanged, two by two."""

    def swap(match: re.Match[str]) -> str:
        word = match[0]
        pairs = [word[i : i + 2][::-1] for i in range(0, len(word), 2)]
        return "".join(pairs)

    return _WORD.sub(swap, text)


def opish(text: str, filler: str = "op") -> str:
    """`filler` after every consonant, as children's secret languages do."""
    return re.sub(r"(?i)[b-df-hj-np-tv-z]", lambda m: m[0] + filler, text)

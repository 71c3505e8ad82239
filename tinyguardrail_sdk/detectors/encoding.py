"""Text hidden in an encoding: found, decoded, looked into, and decoded again up to three times.

That something is encoded says little; what it decodes to, and whether the words around it ask to
decode and obey, says much.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tinyguardrail_sdk.detectors import codecs, english, override, substitution
from tinyguardrail_sdk.detectors.english import Words
from tinyguardrail_sdk.detectors.match import Match, distinct, whole_word
from tinyguardrail_sdk.labels import Pattern
from tinyguardrail_sdk.normalize import Canonical

_MAX_DEPTH = 3
_MIN_BLOB = 14
_DANGEROUS = 0.4
_COVERS = 0.6  # share of a view that a blob inside it must fill to be peeled next

_BLOB = re.compile(rf"[A-Za-z0-9+/_-]{{{_MIN_BLOB},}}={{0,6}}")
_SHORT_BLOB = re.compile(r"(?<![\w+/-])[A-Za-z0-9+/]{6,13}={1,2}(?![\w=])")
_WRAP = re.compile(r"[ \t>]{0,8}\r?\n[ \t>]{0,8}")
_TAIL = re.compile(r"[ \t>]{0,8}\r?\n[ \t>]{0,8}([A-Za-z0-9+/_-]{1,11}={0,6})(?![\w=])")
_BITS = re.compile(r"(?<!\d)[01]{7,8}(?:[ \t,]{1,2}[01]{7,8}){2,}(?!\d)")
_PAIRS = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{2}(?:[ :,-][0-9A-Fa-f]{2}){4,}(?![0-9A-Za-z])")
_NUMBERS = re.compile(r"(?<![\d.])\d{1,3}(?:[ ,;/|.?!'\":()-]{1,6}\d{1,3}){5,}(?!\d)")
_MORSE = re.compile(r"(?<![\w.-])[.\-–—−•·]{1,7}(?:[ /|]{1,4}[.\-–—−•·]{1,7}){4,}")
# Cheap first looks: two numbers apart, two Morse signs apart.
_APART = re.compile(r"[0-9A-Fa-f][ \t,;:/|-]{1,3}\d")
_SIGNS = re.compile(r"[.\-–—−•·][ /|]{1,4}[.\-–—−•·]{1,7}[ /|]")
_ASCII85 = re.compile(r"<~[!-u\s]{8,}~>")
# Base85 is a run of letters and all kinds of signs, as long as no word.
_RUN, _LEAST_RUN = re.compile(r"[!-~]{20,}"), 20
_SIGN, _LEAST_SIGNS = re.compile(r"[!#$%&()*+;<=>?@^`{|}~]"), 3
_CALL = r"(?:string\.from)?(?:chrw?|char|charcode|codepoint)\s?\(\s?\d{1,7}\s?\)"
_CALLS = re.compile(rf"{_CALL}(?:\W{{0,6}}{_CALL}){{4,}}", re.IGNORECASE)
_SPELLING = "|".join(sorted(codecs.SPELLING_WORDS))
_SPELT = re.compile(
    rf"(?<!\w)(?:{_SPELLING})(?:[\s,;/|.-]{{1,5}}(?:{_SPELLING}|[^\s\w]|\w{{1,2}})(?!\w)){{4,}}",
    re.IGNORECASE,
)
# Of the letters that hardly any text is without.
_FREQUENT_SPELT = ("echo", "tango", "alfa", "alpha", "oscar", "india", "november", "sierra")
_SPELT_WORD = re.compile(r"[^\s,;/|.]+")
_LEAST_SPELT, _SPELT_SHARE = 5, 0.5
_ASCII = r"(?:[46][1-9A-Fa-f]|[57][0-9Aa])"
# Escapes of plain letters, which never need one, close enough together to spell something.
_ESCAPED_LETTER = (
    rf"(?:%{_ASCII}|\\x{_ASCII}|\\u\{{?00{_ASCII}\}}?|&#x0{{0,4}}{_ASCII};|&#0{{0,3}}(?:6[5-9]|[7-9]\d|1[01]\d|12[0-2]);"
    rf"|\bU\+00{_ASCII}|\b0x{_ASCII}\b|\\1[0-7]{{2}})"
)
_LEAST_ESCAPED = 4
_ANY_ESCAPED = (
    rf"(?:{_ESCAPED_LETTER}|%[0-9a-fA-F]{{2}}|\\x[0-9a-fA-F]{{2}}|\\u[0-9a-fA-F]{{4}}"
    r"|&#x?[0-9a-fA-F]{2,6};)"
)
_ESCAPES = re.compile(rf"{_ANY_ESCAPED}(?:[\s\S]{{0,14}}?{_ANY_ESCAPED}){{{_LEAST_ESCAPED - 1},}}")
_LETTER = re.compile(_ESCAPED_LETTER)
_DENSE_ESCAPES = re.compile(rf"(?:{_ANY_ESCAPED}[ ,.]{{0,2}}){{8,}}")
# Words joined by escaped spaces, as in an address.
_UNBROKEN, _SPACE, _FEWEST_SPACES = re.compile(r"[^\s\"<>]+"), "%20", 2
_ADDRESS = "://"

_FOLLOW = frozenset(
    (
        "decode decoded decoding decrypt decrypted decipher deciphered decodes unscramble execute "
        "follow obey perform comply base64 rot13 hex hexadecimal morse binary encoded ciphertext"
    ).split()
)


class _Found(NamedTuple):
    name: str
    start: int
    end: int
    view: str
    ordinary: bool = False  # written so in honest text too: only its content or context accuses it


def find(canonical: Canonical, words: Words | None = None) -> list[Match]:
    """Every encoded stretch that decodes to readable text."""
    text = canonical.text
    words = words or english.read(text)
    found = [*_encoded(text), *_rot13(text, words)]
    if not found:
        return []
    asked = not _FOLLOW.isdisjoint(words.tokens)
    return distinct(match for one in found for match in _matches(canonical, one, asked))


def _matches(canonical: Canonical, found: _Found, asked: bool) -> Iterator[Match]:
    view, deeper = _peeled(found.view)
    score, what = 0.3, "readable text"
    if english.is_request(view):
        score, what = 0.5, "a request"
    danger = override.strength(view)
    if danger >= _DANGEROUS:
        score, what = max(score, 0.5 + 0.4 * danger), "an instruction override"
    elif found.ordinary and not asked:
        return
    score += 0.15 * asked + 0.1 * bool(deeper)
    name = " in ".join((*reversed(deeper), found.name))
    span = canonical.span(found.start, found.end)
    yield Match(Pattern.ENCODING, min(score, 1.0), *span, f"{what} in {name}", view)


def _peeled(view: str) -> tuple[str, list[str]]:
    """Decode a view while most of it is itself encoded."""
    names: list[str] = []
    while len(names) < _MAX_DEPTH - 1:
        inner = max(_encoded(view), key=lambda one: one.end - one.start, default=None)
        if inner is None or inner.end - inner.start < _COVERS * len(view):
            break
        names.append(inner.name)
        view = inner.view
    return view, names


def _encoded(text: str) -> Iterator[_Found]:
    yield from _blobs(text)
    yield from _base85(text)
    yield from _spelt(text)
    if "%" in text or "\\" in text or "&#" in text or "0x" in text or "U+" in text:
        yield from _escapes(text)
    numbers, signs = _APART.search(text), _SIGNS.search(text)
    for hint, pattern, decode in (
        (
            numbers,
            _BITS,
            lambda piece: ("binary digits", codecs.from_bits(piece.replace(",", " "))),
        ),
        (
            numbers,
            _PAIRS,
            lambda piece: ("hex", codecs.from_hex(re.sub("[^0-9A-Fa-f]", "", piece))),
        ),
        (numbers, _NUMBERS, lambda piece: codecs.from_numbers(piece)),
        (signs, _MORSE, lambda piece: ("Morse code", codecs.from_morse(piece))),
        (
            "(" in text,
            _CALLS,
            lambda piece: ("calls for characters", codecs.from_codes(piece)),
        ),
        ("<~" in text, _ASCII85, lambda piece: ("ascii85", codecs.from_ascii85(piece))),
    ):
        for piece in pattern.finditer(text) if hint else ():
            decoded = decode(piece.group())
            if decoded and decoded[1]:
                yield _Found(decoded[0], *piece.span(), decoded[1])


def _blobs(text: str) -> Iterator[_Found]:
    for blob in _SHORT_BLOB.finditer(text) if "=" in text else ():
        decoded = codecs.from_blob(blob.group())
        if decoded and english.share_known(decoded[1]) == 1.0:
            yield _Found(decoded[0], *blob.span(), decoded[1])
    if max(map(len, text.split()), default=0) < _MIN_BLOB:
        return
    for lines in _wrapped(text):
        yield from _joined_or_single(text, lines)


def _wrapped(text: str) -> Iterator[list[tuple[int, int]]]:
    """Long runs of letters and digits, those on following lines together."""
    lines: list[tuple[int, int]] = []
    for blob in _BLOB.finditer(text):
        if lines and (
            text[lines[-1][1] - 1] == "=" or not _WRAP.fullmatch(text, lines[-1][1], blob.start())
        ):
            yield lines
            lines = []
        if not _is_word(blob.group()):
            lines.append(blob.span())
    if lines:
        yield lines


def _is_word(blob: str) -> bool:
    return blob.isalpha() and (blob.islower() or blob.istitle())


def _joined_or_single(text: str, lines: list[tuple[int, int]]) -> Iterator[_Found]:
    start, end = lines[0][0], lines[-1][1]
    tail = _tail(text, end)
    for stop in (tail, end) if tail else (end,):
        decoded = codecs.from_blob(re.sub(r"[\s>]+", "", text[start:stop]))
        if decoded:
            if not _is_token(decoded[1]):
                yield _Found(decoded[0], start, stop, decoded[1])
            return
    if len(lines) > 1:
        for line in lines:
            yield from _joined_or_single(text, [line])


def _tail(text: str, end: int) -> int | None:
    """Where a last, short line of a blob ends; an ordinary word is the text going on."""
    line = _TAIL.match(text, end)
    return line.end() if line and not _is_word(line.group(1)) else None


def _is_token(view: str) -> bool:
    """Whether this is a part of a signed web token: JSON by design, and harmless as such."""
    return view.startswith('{"') and override.strength(view) < _DANGEROUS


def _escapes(text: str) -> Iterator[_Found]:
    for run in _ESCAPES.finditer(text):
        if len(_LETTER.findall(run.group())) >= _LEAST_ESCAPED:
            span = whole_word(text, *run.span(), reach=60, stops="\"'<>")
            yield _Found("escaped letters", *span, codecs.from_escapes(text[slice(*span)]))
            continue
        for dense in _DENSE_ESCAPES.finditer(text, *run.span()):
            view = codecs.from_escapes(dense.group())
            yield _Found("escaped characters", *dense.span(), view, ordinary=True)
    for run in _UNBROKEN.finditer(text) if _SPACE in text else ():
        piece = run.group()
        if piece.count(_SPACE) >= _FEWEST_SPACES and len(_LETTER.findall(piece)) < _LEAST_ESCAPED:
            view = codecs.from_escapes(piece)
            yield _Found("escaped spaces", *run.span(), view, ordinary=_ADDRESS in piece)


def _base85(text: str) -> Iterator[_Found]:
    if max(map(len, text.split()), default=0) < _LEAST_RUN:
        return
    for run in _RUN.finditer(text):
        if len(set(_SIGN.findall(run.group()))) >= _LEAST_SIGNS:
            for start, end in _unquoted(run):
                decoded = codecs.from_base85(text[start:end])
                if decoded:
                    yield _Found(decoded[0], start, end, decoded[1])
                    break


def _unquoted(run: re.Match[str]) -> Iterator[tuple[int, int]]:
    """A run as it stands, and without the quotes and marks around it."""
    start, end = run.span()
    yield start, end
    inner = run.group().lstrip("\"'`").rstrip("\"'`.,")
    if inner != run.group():
        start += run.group().index(inner)
        yield start, start + len(inner)


def _spelt(text: str) -> Iterator[_Found]:
    low = english.lower(text)
    for run in _SPELT.finditer(text) if any(word in low for word in _FREQUENT_SPELT) else ():
        tokens = _SPELT_WORD.findall(english.lower(run.group()))
        spelt = sum(token in codecs.SPELLING_WORDS for token in tokens)
        if spelt >= max(_LEAST_SPELT, _SPELT_SHARE * len(tokens)):
            yield _Found("the spelling alphabet", *run.span(), codecs.from_spelling(run.group()))


def _rot13(text: str, words: Words) -> Iterator[_Found]:
    for start, end, _, view in substitution.find(
        text, words, lambda shift: shift == substitution.ROT13
    ):
        yield _Found("ROT13", start, end, view)

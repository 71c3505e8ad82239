"""Letters of other scripts that imitate Latin ones, and when to read them as Latin.

A Cyrillic or Greek letter is suspicious only in Latin company, so words are judged, not characters:
a word that mixes such letters with Latin ones is folded; a word made only of exact twins is folded
where the nearest telling words on either side are Latin, and one of mere look-alikes too in a text
that is disguised through and through; everything else is left as it stands.
"""

import re
import unicodedata
from bisect import bisect
from collections.abc import Set as AbstractSet
from enum import Enum, auto

# Pairs of a letter and the Latin letter it cannot be told from in a common font.
_TWIN_PAIRS = """
АA ВB ЕE ЅS ІI ЈJ КK МM НH ОO РP СC ТT УY ХX ԌG ԚQ ԜW ӀI ѴV ҮY аa еe оo рp сc уy хx ѕs іi јj кk
һh ԁd ԛq ԝw ѡw ӏl ѵv үy ҽe
ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX ϹC ͿJ οo ϲc ϳj
ՍU ՏS ՕO ԼL օo սu հh ցg զq յj ոn
ᎠD ᎡR ᎢT ᎥI ᎩY ᎪA ᎫJ ᎬE ᎳW ᎷM ᎻH ᎽY ᏀG ᏃZ ᏒR ᏔW ᏕS ᏙV ᏚS ᏞL ᏟC ᏢP ᏦK ᏴB ᏻG ᏼB
ᐯV ᑌU ᑎN ᑕC ᑭP ᑯd ᑲb ᑫq ᒍJ ᒪL ᕼH ᖇR ᖴF ᗅA ᗩA ᗞD ᗪD ᗰM ᗯW ᗷB ᔕS ᘔZ ᙭X
ꓐB ꓑP ꓓD ꓔT ꓖG ꓗK ꓙJ ꓚC ꓜZ ꓝF ꓟM ꓠN ꓡL ꓢS ꓣR ꓦV ꓧH ꓪW ꓫX ꓬY ꓮA ꓰE ꓲI ꓳO ꓴU
ⲀA ⲂB ⲈE ⲎH ⲒI ⲔK ⲘM ⲚN ⲞO ⲢP ⲤC ⲦT ⲨY ⲬX ⲟo ⲣp ⲥc ⲭx ⲓi ⲕk
𐐄O 𐐕C 𐐛L 𐐠S 𐐬o 𐐽c 𐑈s ⵏI ⵔO ⵝX ⴸV ⵎC
"""
# Pairs of a letter and the Latin letter it stands in for only when its neighbours suggest it.
_SIMILAR_PAIRS = """
БB ГR ДA ЗE ИN ЛN ПN ФO ЦU ЧY ШW ЩW ЪB ЬB ЭE ЯR ЄE ҚK ҢH ҲX ҖX Ӽx бb вb гr дa зe иn лn мm нh пn
тt фo цu чy шw щw ъb ьb эe яr єe ғf қk ңh ҳx ҡk ӄk ҟk ҭt ҫc ҷy ҹy
ΓR ΘO ΛA ΞE ΠN ΣE ΦO ΨW αa βb γy δd εe ζz ηn θo ιi κk λl μu νv πn ρp ςs σo τt υu φo χx ψw ωw
աw բp գq դn եt ղn պu ռn քf ֆs տs ւi ԱU ԲR ՀS ՈN ՊR ՑS ՔP ՒI
ᎤQ ᎦF ᎧO ᎭF ᎮP ᎰJ ᎴD ᎶG ᎾO ᏁN ᏂH ᏆI ᏇM ᏉV ᏋE ᏎA ᏏB ᏐJ ᏓL ᏖT ᏗA ᏝL ᏠJ ᏧD ᏬU ᏮB ᏰB ᏳG
ᐁV ᐃA ᐱA ᐸV ᑐD ᑖC ᑢC ᒉR ᒋJ ᒣL ᕈP ᕮE ᗴE ᗝO ᘜG ᙏM ᙎW ᙖB
ꓒD ꓕT ꓘK ꓛC ꓞF ꓤR ꓥA ꓨG ꓩF ꓭB ꓯA ꓱE ꓵN ꓶL ⲉe ⲏh ⲛn ⲁa ⲃb ⲅr ⲩy ⲱw ⴷA ⵍI ⵡU ⵣX
₳A ₵C ₣F ₲G ₭K ₥m ₦N ₱P ₮T ₩W ₴S ₸T ₿B ฿B ∂d ℮e ¢c
"""


def _table(pairs: str) -> dict[str, str]:
    table = {pair[0]: pair[1] for pair in pairs.split()}
    # An accented letter imitates what its base imitates.
    for code in (*range(0x370, 0x530), *range(0x1F00, 0x2000)):
        base = unicodedata.normalize("NFD", chr(code))[0]
        if base in table:
            table.setdefault(chr(code), table[base])
    return table


_TWINS = _table(_TWIN_PAIRS)
_READABLE = _table(_SIMILAR_PAIRS) | _TWINS
_TWINS_TO_LATIN = str.maketrans(_TWINS)
_ALL_TO_LATIN = str.maketrans(_READABLE)

_SYMBOLS = "".join(sorted(letter for letter in _READABLE if not letter.isalpha()))
# Blocks, in order; those of the first three scripts are everyday writing to many people.
_BLOCKS = (
    ("Greek", 0x370, 0x3FF),
    ("Cyrillic", 0x400, 0x52F),
    ("Armenian", 0x531, 0x587),
    ("Cherokee", 0x13A0, 0x13FD),
    ("Canadian", 0x1400, 0x167F),
    ("Cyrillic", 0x1C80, 0x1C8F),
    ("Greek", 0x1F00, 0x1FFF),
    ("Coptic", 0x2C80, 0x2CF3),
    ("Tifinagh", 0x2D30, 0x2D67),
    ("Cyrillic", 0x2DE0, 0x2DFF),
    ("Lisu", 0xA4D0, 0xA4F7),
    ("Cyrillic", 0xA640, 0xA69F),
    ("Cherokee", 0xAB70, 0xABBF),
    ("Deseret", 0x10400, 0x1044F),
)
_LIVING_SCRIPTS = frozenset(("Greek", "Cyrillic", "Armenian"))
_STARTS = [start for _, start, _ in _BLOCKS]
_LETTERS = "".join(f"{chr(start)}-{chr(end)}" for _, start, end in _BLOCKS)
_LATIN_LETTERS = (
    r"A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u1e00-\u1eff\u2c60-\u2c7f\ua720-\ua7ff"
)
# The stdlib engine: its character sets are several times faster than script properties.
_LETTER = re.compile(f"[{_LETTERS}]")
_SUSPECT = re.compile(f"[{_LETTERS}{_SYMBOLS}]")
_LATIN = re.compile(f"[{_LATIN_LETTERS}]")
_CHANGE = re.compile(f"(?<=[{_LATIN_LETTERS}])[{_LETTERS}]|(?<=[{_LETTERS}])[{_LATIN_LETTERS}]")
_WORD = re.compile(rf"[0-9\u0300-\u036f{_LATIN_LETTERS}{_LETTERS}{_SYMBOLS}]+")


class _Speech(Enum):
    """What a word says about the script of its neighbourhood."""

    LATIN = auto()
    FOREIGN = auto()
    TWIN = auto()
    SIMILAR = auto()
    NOTHING = auto()


_LEAST_DISGUISED = 3  # words; fewer are a slip of the keyboard
_LONGEST_UNIT = 3  # letters
_LATIN_COMPANY = ({_Speech.LATIN}, {_Speech.LATIN, _Speech.NOTHING})


def fold_look_alikes(text: str) -> str:
    """Replace imitations of Latin letters, one character for one, where their company is Latin."""
    if not _SUSPECT.search(text):
        return text
    alphabet = "".join(set(text))
    letters = _LETTER.findall(alphabet)
    scripts = set(map(_script, letters))
    if len(scripts) == 1 and scripts <= _LIVING_SCRIPTS and not _LATIN.search(alphabet):
        return text
    # A script is in honest use where any letter of it could not pass for Latin.
    honest = _LIVING_SCRIPTS | {_script(letter) for letter in letters if letter not in _READABLE}
    spans = [word.span() for word in _WORD.finditer(text)]
    speech = [_speech(text[start:end], honest) for start, end in spans]
    disguised = _is_disguised([text[start:end] for start, end in spans], speech)
    if disguised:
        speech = [_Speech.TWIN if said is _Speech.SIMILAR else said for said in speech]
    before = _nearest_telling(speech)
    after = _nearest_telling(speech[::-1])[::-1]
    pieces: list[str] = []
    done = 0
    for (start, end), said, *neighbours in zip(spans, speech, before, after, strict=True):
        folded = _fold_word(text[start:end], said, set(neighbours), disguised)
        pieces += (text[done:start], folded)
        done = end
    pieces.append(text[done:])
    return "".join(pieces)


def _speech(word: str, honest: AbstractSet[str]) -> _Speech:
    if word.isascii() or _LATIN.search(word):
        return _Speech.NOTHING if word.isdecimal() else _Speech.LATIN
    letters = _LETTER.findall(word)
    if not letters:
        return _Speech.NOTHING
    if not _READABLE.keys() >= set(letters):
        return _Speech.FOREIGN
    scripts = set(map(_script, letters))
    # No honest word is written in two of these scripts at once.
    if len(scripts) > 1 or not scripts <= honest:
        return _Speech.LATIN
    return _Speech.TWIN if _TWINS.keys() >= set(letters) else _Speech.SIMILAR


def _is_disguised(words: list[str], speech: list[_Speech]) -> bool:
    """Whether more words change scripts, and back again, than are honestly foreign."""
    mixed = sum(
        said is _Speech.LATIN and len(word) > _LONGEST_UNIT and _changes_scripts(word)
        for word, said in zip(words, speech, strict=True)
    )
    foreign = speech.count(_Speech.FOREIGN) + speech.count(_Speech.SIMILAR)
    return mixed >= _LEAST_DISGUISED and mixed > foreign


def _changes_scripts(word: str) -> bool:
    # A Latin abbreviation with the ending of another language changes once.
    return len(_CHANGE.findall(word)) > 1 or (not _LATIN.search(word) and not word.isascii())


def _script(letter: str) -> str:
    return _BLOCKS[bisect(_STARTS, ord(letter)) - 1][0]


def _nearest_telling(speech: list[_Speech]) -> list[_Speech]:
    """For each word, what the last telling one before it says."""
    nearest: list[_Speech] = []
    last = _Speech.NOTHING
    for said in speech:
        nearest.append(last)
        if said in (_Speech.LATIN, _Speech.FOREIGN, _Speech.SIMILAR):
            last = said
    return nearest


def _fold_word(word: str, said: _Speech, neighbours: set[_Speech], disguised: bool) -> str:
    if said is _Speech.LATIN:
        return _fold_mixed(word, disguised)
    if said is _Speech.TWIN and neighbours in _LATIN_COMPANY:
        return word.translate(_ALL_TO_LATIN)
    return word


def _fold_mixed(word: str, disguised: bool) -> str:
    letters = _SUSPECT.findall(word)
    if not letters:
        return word
    # A loan with a native ending, such as a Latin abbreviation declined in Russian, is honest.
    if not _changes_scripts(word) and not _READABLE.keys() >= set(letters):
        return word
    latin = len(_LATIN.findall(word))
    # One Latin letter beside one Greek is a unit or a formula, not a disguised word.
    formula = not disguised and latin == 1 and _TWINS.keys().isdisjoint(letters)
    return word.translate(_TWINS_TO_LATIN if formula else _ALL_TO_LATIN)

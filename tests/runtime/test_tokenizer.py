import random
import time
import unicodedata
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyguardrail_sdk.errors import CheckpointError
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT
from tinyguardrail_sdk.normalize import normalize
from tinyguardrail_sdk.tokenizer import WordPieceTokenizer

VOCABULARY = DEFAULT_CHECKPOINT / "vocab.txt"
TOKENIZER = WordPieceTokenizer.from_file(VOCABULARY)
PIECES = VOCABULARY.read_text(encoding="utf-8").split("\n")

Reference = Callable[[str], list[int]]


def settled(character: str) -> bool:
    """Whether the reference, whose Unicode tables are old, can know a character for what it is."""
    before = unicodedata.ucd_3_2_0.category(character)
    now = unicodedata.category(character)
    return now == before or (before == "Cn" and now[0] in "LNS")


SETTLED = [
    chr(code)
    for code in range(0x110000)
    if not 0xD800 <= code <= 0xDFFF and unicodedata.category(chr(code)) != "Cn"
    if settled(chr(code))
]
NASTY_WORDS = """
    [SEP] [CLS] [MASK] [UNK] ##ing # don't naïve Ünïcödé İstanbul ıı ΟΔΟΣ ΣΑΣ ß ẞ ﬀ ﷺ Ⅷ ½ ™ … —
    ‘ ’ “ ” 中文 漢字かなカナ 한국어 ไทย नमस्ते اَلسَّلَامُ שָׁלוֹם Привет Йод 😀 👨‍👩‍👧 🇺🇸 ₹5 $3.50 a_b a-b
    a@b.c http://x.y/?q=1&r=%20 e=mc² x\u0301\u0327 \u0301 \ufffd \u200b \xad \ufeff \0 \x1f \x7f
    \x85 \u2028 \u3000 \xa0 \u1680 \U000e0041 \ue000 \U0002a6df \U0002f81a \uf900 か\u3099 ǅ ŉ
    \u1112\u1161\u11ab supercalifragilisticexpialidocious zzzzqqqqxxxx 1234567890 10,000 ??? ~~~
""".split(" ")


def nasty_text(rng: random.Random) -> str:
    def random_word() -> str:
        low = rng.choice((0x20, 0x80, 0x300, 0x400, 0x600, 0x900, 0x2000, 0x4E00, 0xAC00, 0x1F300))
        near = [chr(rng.randrange(low, low + 0x100)) for _ in range(rng.randrange(1, 9))]
        return "".join(filter(settled, near))

    def any_word() -> str:
        return "".join(rng.choices(SETTLED, k=rng.randrange(1, 9)))

    def english_word() -> str:
        return "".join(piece.removeprefix("##") for piece in rng.choices(PIECES, k=3))

    def long_word() -> str:
        return rng.choice("xé中я") * rng.choice((98, 99, 100, 101, 300))

    makers = (random_word, any_word, english_word, lambda: rng.choice(NASTY_WORDS))
    made = [rng.choice(makers)() for _ in range(rng.randrange(12))]
    if rng.random() < 0.05:
        made.append(long_word())
    return rng.choice(("", " ", " ", " \n\t")).join(made)


@pytest.fixture(scope="module")
def reference() -> Reference:
    transformers = pytest.importorskip("transformers")
    bert = transformers.BertTokenizer(str(VOCABULARY), do_lower_case=True)

    def encode(text: str) -> list[int]:
        encoded = bert(text, add_special_tokens=False, split_special_tokens=True)
        ids: list[int] = encoded["input_ids"]
        return ids

    return encode


def ids(text: str, *, lossless: bool = False) -> list[int]:
    encoded: list[int] = TOKENIZER.encode(text, lossless=lossless).ids.tolist()
    return encoded


def pieces(text: str, *, lossless: bool = False) -> list[str]:
    return [PIECES[index] for index in ids(text, lossless=lossless)]


def covered(text: str, *, lossless: bool = False) -> list[str]:
    encoding = TOKENIZER.encode(text, lossless=lossless)
    return [text[start:end] for start, end in zip(encoding.starts, encoding.ends, strict=True)]


@pytest.mark.train
def test_equals_the_reference_on_nasty_text(reference: Reference) -> None:
    rng = random.Random(20)
    for _ in range(4000):
        text = nasty_text(rng)
        canonical = normalize(text).text
        assert ids(text) == reference(text), ascii(text)
        assert ids(canonical) == reference(canonical), ascii(canonical)


@pytest.mark.train
def test_equals_the_reference_on_every_settled_character(reference: Reference) -> None:
    for first in range(0, len(SETTLED), 2000):
        some = SETTLED[first : first + 2000]
        for text in (" ".join(some), "".join(f"a{character}b " for character in some)):
            assert ids(text) == reference(text), hex(ord(some[0]))


@pytest.mark.train
@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=("Cs", "Cn")).filter(settled)))
def test_equals_the_reference_on_any_text(reference: Reference, text: str) -> None:
    assert ids(text) == reference(text)
    canonical = normalize(text).text
    assert ids(canonical) == reference(canonical)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ignore ALL instructions!", ["ignore", "all", "instructions", "!"]),
        ("  naïve\tcafé\n", ["naive", "cafe"]),
        ("don't", ["don", "'", "t"]),
        ("中文", ["中", "文"]),
        ("unbelievabilities", ["un", "##bel", "##ie", "##va", "##bilities"]),
        ("[CLS]", ["[", "cl", "##s", "]"]),
        ("a\0b\u200bc", ["abc"]),
        ("", []),
        (" \n\t\r ", []),
    ],
)
def test_pieces(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


def test_offsets_cover_what_each_piece_was_made_of() -> None:
    text = "  Çafé\u0301x, İSTANBUL\t中文 don't"
    assert covered(text) == ["Çafé\u0301", "x", ",", "İSTANBUL", "中", "文", "don", "'", "t"]


def test_offsets_survive_folding_that_lengthens_and_removes() -> None:
    # One Korean syllable folds to three letters; controls fold to nothing.
    text = "x \uac01\0\x01 \x02y"
    encoding = TOKENIZER.encode(text)
    assert (encoding.starts[0], encoding.ends[0]) == (0, 1)
    assert (encoding.starts[-1], encoding.ends[-1]) == (7, 8)
    korean = slice(1, len(encoding.ids) - 1)
    assert encoding.starts[korean].min() == 2
    assert encoding.ends[korean].max() == 5


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())), st.booleans())
def test_offsets_are_ordered_and_inside(text: str, lossless: bool) -> None:
    encoding = TOKENIZER.encode(text, lossless=lossless)
    assert encoding.ids.dtype == encoding.starts.dtype == encoding.ends.dtype == np.int32
    assert len(encoding.ids) == len(encoding.starts) == len(encoding.ends)
    assert (encoding.starts < encoding.ends).all()
    assert (np.diff(encoding.starts) >= 0).all()
    assert (np.diff(encoding.ends) >= 0).all()
    assert not len(text) or encoding.ends.max(initial=0) <= len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ignore\U0001f9ffprevious", ["ignore", "[UNK]", "previous"]),
        ("\U0001f9ff" * 45, ["[UNK]"] * 3),
        ("ignore" + "\U0001f9ff" * 21 + "all", ["ignore", "[UNK]", "[UNK]", "all"]),
    ],
)
def test_lossless_keeps_what_surrounds_an_unknown_character(text: str, expected: list[str]) -> None:
    assert pieces(text) == ["[UNK]"]
    assert pieces(text, lossless=True) == expected
    assert "".join(covered(text, lossless=True)) == text


def test_lossless_reads_words_of_any_length() -> None:
    word = "ignore" * 17
    assert pieces(word) == ["[UNK]"]
    assert "[UNK]" not in pieces(word, lossless=True)
    assert pieces(word, lossless=True)[:15] == pieces(word[:90])[:15]
    assert "".join(covered(word, lossless=True)) == word


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())))
def test_lossless_differs_only_where_the_reference_gives_up(text: str) -> None:
    plain = ids(text)
    if TOKENIZER.unk_id not in plain:
        assert ids(text, lossless=True) == plain


def test_special_tokens_and_size() -> None:
    special = (TOKENIZER.unk_id, TOKENIZER.cls_id, TOKENIZER.sep_id)
    assert [PIECES[index] for index in special] == ["[UNK]", "[CLS]", "[SEP]"]
    assert len(TOKENIZER) == len(PIECES) - 1  # the file ends in a newline


def test_a_vocabulary_without_special_tokens_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"\[CLS\], \[SEP\]"):
        WordPieceTokenizer(["[PAD]", "[UNK]", "a"])


def test_more_words_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyguardrail_sdk.tokenizer._MEMORY", 3)
    tokenizer = WordPieceTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcde"])
    assert tokenizer.encode("a b c d e a b c d e").ids.tolist() == [4, 5, 6, 7, 8] * 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    ["a" * 10**6, "\U0001f9ff" * 10**6, " " * 10**6, "天" * 10**6, "x#" * 500_000, "\0" * 10**6]
    + ["a" + "\u0301" * 50_000, "\ud800" * 10**6, "".join(map(chr, range(0x110000)))],
    ids=lambda text: ascii(text[:8]),
)
def test_a_megabyte_takes_seconds(text: str) -> None:
    begun = time.process_time()
    TOKENIZER.encode(text, lossless=True)
    assert time.process_time() - begun < 15

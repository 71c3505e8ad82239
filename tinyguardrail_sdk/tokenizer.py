"""Uncased WordPiece with offsets: equal to BERT's tokenizer, without its dependencies.

Text is folded (lower case, no accents, Chinese characters set apart), cut into words and
punctuation marks, and every word into the longest pieces the vocabulary holds. Words recur, so
their pieces are remembered. A special token's name in a text is ordinary text: none can be forged.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyguardrail_sdk.errors import CheckpointError
from tinyguardrail_sdk.folding import Folding, Indices, join, source_spans

_LONGEST_WORD = 100  # characters; the reference reads longer words as unknown
_UNKNOWN_RUN = 20  # characters that one unknown piece stands for, as many as a token shows
_MEMORY = 32_768  # words remembered
_LONGEST_REMEMBERED = 48  # characters, leading space included

_PIECE = re.compile(r"[ \t\n\r]*(?:[^ \t\n\r!-/:-@\[-`{-~]+|[!-/:-@\[-`{-~])")
_REMOVED_ASCII = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CHINESE = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002b81f"
    "\U0002b920-\U0002ceaf\U0002f800-\U0002fa1f]"
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """A tokenised text, without special tokens.

    Attributes:
        ids: `(tokens,)` int32 vocabulary ids.
        starts: `(tokens,)` int32, where each token begins in the text given.
        ends: `(tokens,)` int32, one past where it ends; characters that folding removed count in.
    """

    ids: Indices
    starts: Indices
    ends: Indices


class WordPieceTokenizer:
    """BERT's uncased tokenizer over any of its vocabularies; safe to share between threads."""

    def __init__(self, vocab: Sequence[str]) -> None:
        """Take the pieces in the order of their ids."""
        self._ids = {piece: index for index, piece in enumerate(vocab)}
        missing = [name for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]") if name not in self._ids]
        if missing:
            raise CheckpointError(
                f"the vocabulary lacks {', '.join(missing)}; use a BERT vocabulary"
            )
        self.unk_id, self.cls_id, self.sep_id = (
            self._ids[name] for name in ("[UNK]", "[CLS]", "[SEP]")
        )
        self._reach = _reach(vocab)
        self._known = _Memory(self._reference_pieces)
        self._known_lossless = _Memory(self._lossless_pieces)

    @classmethod
    def from_file(cls, path: Path) -> "WordPieceTokenizer":
        """Read a vocabulary of one piece a line, in the order of the ids."""
        return cls(path.read_text(encoding="utf-8").removesuffix("\n").split("\n"))

    def __len__(self) -> int:
        """How many ids there are."""
        return len(self._ids)

    def encode(self, text: str, *, lossless: bool = False) -> Encoding:
        """Cut a text into pieces.

        Args:
            text: Any text, best a canonical one.
            lossless: The reference gives up on a word that is longer than 100 characters or holds a
                character outside the vocabulary, and makes it one unknown piece. Lossless, such a
                word keeps the pieces it has, with an unknown piece for every run of up to 20
                characters that are in none. All other words come out the same.
        """
        folded, offsets = _fold(text)
        words = _PIECE.findall(folded.rstrip(" \t\n\r"))
        known = self._known_lossless if lossless else self._known
        pieces = np.frombuffer(b"".join(map(known.__getitem__, words)), np.int32)
        lengths = pieces[2::3]
        ends = np.add.accumulate(pieces[1::3] + lengths, dtype=np.int32)
        return Encoding(pieces[::3], *source_spans(offsets, ends - lengths, ends))

    def _reference_pieces(self, word: str) -> Iterator[tuple[int, int]]:
        if len(word) > _LONGEST_WORD:
            return iter([(self.unk_id, len(word))])
        pieces = list(self._lossless_pieces(word))
        if any(piece == self.unk_id for piece, _ in pieces):
            pieces = [(self.unk_id, len(word))]
        return iter(pieces)

    def _lossless_pieces(self, word: str) -> Iterator[tuple[int, int]]:
        """The pieces of a word from left to right, each the longest that fits: ids and lengths."""
        start = 0
        prefix = ""
        while start < len(word):
            end = self._longest_piece(word, start, prefix)
            if end > start:
                yield self._ids[prefix + word[start:end]], end - start
                prefix = "##"
            else:
                end = self._end_of_unknown(word, start, prefix)
                yield self.unk_id, end - start
                prefix = ""
            start = end

    def _longest_piece(self, word: str, start: int, prefix: str) -> int:
        """The end of the longest piece at `start`, or `start` where there is none."""
        reach = self._reach.get(prefix + word[start], 0)
        for end in range(min(len(word), start + reach), start, -1):
            if prefix + word[start:end] in self._ids:
                return end
        return start

    def _end_of_unknown(self, word: str, start: int, prefix: str) -> int:
        end = start + 1
        limit = min(len(word), start + _UNKNOWN_RUN)
        while end < limit and self._longest_piece(word, end, prefix) == end:
            end += 1
        return end


class _Memory(dict[str, bytes]):
    """The pieces of every word met, int32 each: id, gap before the piece, its length, next id, ...

    Bytes lie together; a tuple's numbers are spread over memory that seldom is in a cache.
    """

    def __init__(self, split: Callable[[str], Iterator[tuple[int, int]]]) -> None:
        super().__init__()
        self._split = split

    def __missing__(self, spaced: str) -> bytes:
        word = spaced.lstrip(" \t\n\r")
        gap = len(spaced) - len(word)
        flat: list[int] = []
        for piece, length in self._split(word):
            flat += (piece, gap, length)
            gap = 0
        if len(self) >= _MEMORY:
            self.clear()
        pieces = np.array(flat, np.int32).tobytes()
        if len(spaced) <= _LONGEST_REMEMBERED:
            self[spaced] = pieces
        return pieces


def _reach(vocab: Sequence[str]) -> dict[str, int]:
    """The longest piece for each first character, itself with its "##" where a word goes on."""
    reach: dict[str, int] = {}
    for piece in vocab:
        prefix = "##" if piece.startswith("##") else ""
        length = len(piece) - len(prefix)
        key = piece[: len(prefix) + 1]
        reach[key] = max(reach.get(key, 0), length)
    return reach


def _fold(text: str) -> tuple[str, Indices | None]:
    if text.isascii() and not _REMOVED_ASCII.search(text):
        return text.lower(), None
    parts = _FOLDS.parts(text)
    return (text, None) if parts is None else join(parts)


def _fold_character(character: str) -> str:
    if character in " \t\n\r":
        return " "
    category = unicodedata.category(character)
    if category in ("Cc", "Cf", "Co", "Cs") or character == "\ufffd":
        return ""
    if category in ("Zs", "Zl", "Zp"):
        return " "
    plain = unicodedata.normalize("NFD", character)
    if _CHINESE.match(character) or (category.startswith("P") and not character.isascii()):
        return f" {plain} "
    if category == "Mn" or plain != character:
        plain = "".join(part for part in plain if unicodedata.category(part) != "Mn")
    return plain.lower()


_FOLDS = Folding(_fold_character)

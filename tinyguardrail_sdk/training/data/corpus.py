"""Tokenised windows on disk: texts go once through the runtime's own feature extractor.

A corpus is a folder of flat files that are memory-mapped, so that memory does not grow with it:
`tokens.bin` and `chars.bin` (ragged), `rows.bin` (one `ROW` a window, with offsets into both),
`examples.bin` (one `EXAMPLE` a text) and `corpus.json` (what it was made from). Workers never
import PyTorch, and hand back results in order, so that the folder depends on its inputs only.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.features import FeatureExtractor
from tinyguardrail_sdk.labels import LABELS, PATTERNS, SOURCES
from tinyguardrail_sdk.manifest import hash_of
from tinyguardrail_sdk.tokenizer import WordPieceTokenizer
from tinyguardrail_sdk.training.data.jsonl import ROW_FORM, write_json
from tinyguardrail_sdk.training.data.parallel import in_order
from tinyguardrail_sdk.training.data.publish import drafted_beside
from tinyguardrail_sdk.training.data.schema import Example, read_examples
from tinyguardrail_sdk.training.data.windows import WindowRules, choose_windows, window_text

ROW: Final = np.dtype(
    [
        ("tokens", "<i8"),  # first place in tokens.bin
        ("chars", "<i8"),  # first place in chars.bin
        ("length", "<u2"),
        ("width", "u1"),
        ("segment", "u1"),
        ("label", "i1"),
        ("example", "<i4"),
        ("patterns", "<f4", (len(PATTERNS),)),
    ]
)
EXAMPLE: Final = np.dtype([("label", "i1"), ("source", "i1")])
_ID: Final = np.dtype("<u2")  # token and character ids; vocabularies are far below 65,536
FILES: Final = {"tokens": _ID, "chars": _ID, "rows": ROW, "examples": EXAMPLE}
VOCABULARY: Final = "the vocabulary"  # among the inputs of a corpus, told by its contents
_CHUNK: Final = 128
# Their text decides what the tensors are; a change to one makes a new corpus.
_SOURCES_OF_TRUTH: Final = (
    "chars.py", "confusables.py", "features.py", "folding.py", "normalize.py", "tokenizer.py",
    "detectors/*.py", "detectors/*.txt", "training/data/windows.py",
)  # fmt: skip

Packed = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class CorpusRecipe:
    """What a corpus is made from.

    Attributes:
        files: JSON-lines files of examples, in order.
        vocab: WordPiece vocabulary.
        max_tokens: Window length.
        overlap: Tokens that neighbouring windows share.
        rules: Which windows are kept and how they are labelled.
        seed: Of the choice among windows.
    """

    files: tuple[Path, ...]
    vocab: Path
    max_tokens: int
    overlap: int
    rules: WindowRules
    seed: int

    def extractor(self) -> FeatureExtractor:
        """The runtime's feature extractor with this vocabulary and window."""
        tokenizer = WordPieceTokenizer.from_file(self.vocab)
        return FeatureExtractor(tokenizer, max_tokens=self.max_tokens, overlap=self.overlap)

    def fingerprint(self) -> str:
        """SHA-256 of the inputs' contents, the settings and the code that makes tensors."""
        digest = hashlib.sha256(json.dumps(self._settings()).encode())
        for path in (*self.files, self.vocab, *_code()):
            digest.update(_sha256(path))
        return digest.hexdigest()

    def inputs(self) -> dict[str, str]:
        """What goes into the fingerprint, each by name with the beginning of its own SHA-256."""
        code = hashlib.sha256(b"".join(map(_sha256, _code())))
        settings = hashlib.sha256(json.dumps(self._settings()).encode())
        named = {f"the file {path.name}": _sha256(path).hex() for path in self.files}
        named[VOCABULARY] = _sha256(self.vocab).hex()
        named["data.max_tokens, data.overlap, seed or the choice of windows"] = settings.hexdigest()
        named["the code of the package that makes tensors"] = code.hexdigest()
        return {name: digest[:16] for name, digest in named.items()}

    def _settings(self) -> list[Any]:
        return [self.max_tokens, self.overlap, dataclasses.asdict(self.rules), self.seed]


@dataclass(frozen=True)
class Corpus:
    """A memory-mapped corpus.

    Attributes:
        fingerprint: Of the recipe.
        tokens: Flat token ids.
        chars: Flat character ids, row-major (length, width) a window.
        rows: (windows,) `ROW`.
        examples: (texts,) `EXAMPLE`.
        inputs: What it was made from, by name; see `CorpusRecipe.inputs`.
        teacher: Fingerprint of the teacher that answered the windows; empty without one.
        teacher_logits: (windows, labels) float32, its answers.
    """

    fingerprint: str
    tokens: NDArray[Any]
    chars: NDArray[Any]
    rows: NDArray[Any]
    examples: NDArray[Any]
    inputs: Mapping[str, str] = field(default_factory=dict)
    teacher: str = ""
    teacher_logits: NDArray[np.float32] | None = None

    @classmethod
    def of(
        cls,
        arrays: Mapping[str, NDArray[Any]],
        fingerprint: str = "",
        inputs: Mapping[str, str] | None = None,
    ) -> Corpus:
        """A corpus from its arrays by name, those of `FILES`."""
        tokens, chars, rows, examples = (arrays[name] for name in FILES)
        return cls(fingerprint, tokens, chars, rows, examples, inputs or {})

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(windows,) tokens of each window."""
        lengths: NDArray[np.int64] = self.rows["length"].astype(np.int64)
        return lengths

    @cached_property
    def largest(self) -> tuple[int, int]:
        """Most tokens of a window, and most characters of a token."""
        return int(self.rows["length"].max()), int(self.rows["width"].max())

    def rows_of(self, examples: NDArray[Any]) -> NDArray[np.int64]:
        """Indices of the windows that belong to the given texts."""
        return np.flatnonzero(np.isin(self.rows["example"], examples))

    def select(self, examples: NDArray[Any]) -> Corpus:
        """A copy of the windows of the given texts, which keep their numbers; no teacher."""
        rows = self.rows[self.rows_of(examples)].copy()
        tokens, chars = [_no_ids()], [_no_ids()]
        for row in rows:
            length, size = int(row["length"]), int(row["length"]) * int(row["width"])
            tokens.append(self.tokens[row["tokens"] : row["tokens"] + length])
            chars.append(self.chars[row["chars"] : row["chars"] + size])
        for name, parts in (("tokens", tokens), ("chars", chars)):
            rows[name] = np.cumsum([len(part) for part in parts])[:-1]
        return Corpus(
            self.fingerprint,
            np.concatenate(tokens),
            np.concatenate(chars),
            rows,
            self.examples,
            self.inputs,
        )


def open_corpus(directory: Path) -> Corpus:
    """Map a finished corpus.

    Raises:
        FileNotFoundError: The folder holds none.
    """
    facts = json.loads((directory / "corpus.json").read_text(encoding="utf-8"))
    arrays = {
        name: np.memmap(directory / f"{name}.bin", dtype, mode="r") for name, dtype in FILES.items()
    }
    return Corpus.of(arrays, facts["fingerprint"], facts.get("inputs"))


def prepare_corpus(
    recipe: CorpusRecipe,
    cache: Path,
    *,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Corpus:
    """Open the recipe's corpus in the cache folder, making it first where it is missing.

    Args:
        recipe: What to make.
        cache: Folder that holds one folder a corpus.
        workers: Processes that tokenise.
        progress: Called with the number of texts done.

    Raises:
        InputError: The files hold no example, or another command is making the corpus there.
    """
    fingerprint = recipe.fingerprint()
    directory = corpus_folder(cache, fingerprint)
    if not directory.is_dir():
        with drafted_beside(directory, "data.cache") as made:
            if not directory.is_dir():
                made.mkdir(parents=True)
                counts = _write(recipe, made, workers, progress or (lambda done: None))
                facts = {
                    "fingerprint": fingerprint,
                    **counts,
                    "files": [file.name for file in recipe.files],
                    "inputs": recipe.inputs(),
                }
                write_json(made / "corpus.json", facts)
                made.rename(directory)
    return open_corpus(directory)


def corpus_folder(cache: Path, fingerprint: str) -> Path:
    """Where the corpus of that fingerprint stands in a cache."""
    return cache / fingerprint[:16]


def _write(
    recipe: CorpusRecipe, directory: Path, workers: int, progress: Callable[[int], None]
) -> dict[str, int]:
    done = dict.fromkeys(FILES, 0)
    with ExitStack() as stack:
        streams = {
            name: stack.enter_context((directory / f"{name}.bin").open("wb")) for name in FILES
        }
        chunks = stack.enter_context(closing(_packed_chunks(recipe, workers)))
        for packed in chunks:
            for name in ("tokens", "chars"):
                packed["rows"][name] += done[name]
            for name, array in packed.items():
                streams[name].write(array.tobytes())
                done[name] += len(array)
            progress(done["examples"])
    if not done["rows"]:
        raise InputError(f"no row in {', '.join(map(str, recipe.files)) or 'no file'}; {ROW_FORM}")
    return done


def _packed_chunks(recipe: CorpusRecipe, workers: int) -> Generator[Packed, None, None]:
    examples = chain.from_iterable(map(read_examples, recipe.files))
    chunks = _chunks(examples)
    return in_order(partial(_packer, recipe), chunks, workers)


def _chunks(examples: Iterable[Example]) -> Iterator[tuple[int, list[Example]]]:
    iterator = iter(examples)
    first = 0
    while chunk := list(islice(iterator, _CHUNK)):
        yield first, chunk
        first += len(chunk)


def _packer(recipe: CorpusRecipe) -> Callable[[tuple[int, Sequence[Example]]], Packed]:
    extractor = recipe.extractor()

    def packed(chunk: tuple[int, Sequence[Example]]) -> Packed:
        first, examples = chunk
        return pack(extractor, examples, recipe.rules, recipe.seed, first=first)

    return packed


def pack(
    extractor: FeatureExtractor,
    examples: Sequence[Example],
    rules: WindowRules,
    seed: int,
    *,
    first: int = 0,
) -> Packed:
    """Tokenise examples, numbered from `first`, into the arrays of a corpus by name."""
    rows, tokens, chars = [], [_no_ids()], [_no_ids()]
    token_count = char_count = 0
    for index, example in enumerate(examples, first):
        features = extractor.extract(example.text, example.source)
        chosen = choose_windows(example, features, rules, f"{seed}:{index}")
        for window, label in chosen:
            length, width = window.char_ids.shape
            rows.append(
                (token_count, char_count, length, width, int(window.segment),
                 LABELS.index(label), index, window.pattern_scores)
            )  # fmt: skip
            tokens.append(window.token_ids.astype(_ID))
            chars.append(window.char_ids.astype(_ID).ravel())
            token_count += length
            char_count += length * width
    facts = [(LABELS.index(e.label), SOURCES.index(e.source)) for e in examples]
    return {
        "tokens": np.concatenate(tokens),
        "chars": np.concatenate(chars),
        "rows": np.array(rows, ROW),
        "examples": np.array(facts, EXAMPLE),
    }


def window_texts(recipe: CorpusRecipe) -> Iterator[str]:
    """What stands in every window of the recipe's corpus, in the order of its rows."""
    extractor = recipe.extractor()
    for index, example in enumerate(chain.from_iterable(map(read_examples, recipe.files))):
        features = extractor.extract(example.text, example.source)
        chosen = choose_windows(example, features, recipe.rules, f"{recipe.seed}:{index}")
        yield from (window_text(example, features, window) for window, _ in chosen)


def _code() -> list[Path]:
    package = Path(__file__).parents[2]
    return sorted(chain.from_iterable(package.glob(name) for name in _SOURCES_OF_TRUTH))


def _no_ids() -> NDArray[Any]:
    return np.empty(0, _ID)


def _sha256(path: Path) -> bytes:
    return bytes.fromhex(hash_of(path))

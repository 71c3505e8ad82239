"""From a text to the network's inputs, the same at run time and in training.

A text becomes windows of tokens that overlap, so that nothing is left unread however long it is.
Where a detector decoded something hidden, the decoded text is read too: the best in windows of
their own, all further ones together, so that many cost no more than their length.
"""

from bisect import bisect, bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from operator import attrgetter, itemgetter

import numpy as np
from numpy.typing import NDArray

from tinyguardrail_sdk import detectors
from tinyguardrail_sdk.chars import CHARS_PER_TOKEN, aligned_chars, char_codes
from tinyguardrail_sdk.detectors.match import Match, strongest
from tinyguardrail_sdk.folding import Indices
from tinyguardrail_sdk.labels import PATTERNS, SOURCES, Source
from tinyguardrail_sdk.normalize import Canonical, normalize
from tinyguardrail_sdk.tokenizer import WordPieceTokenizer

MAX_TOKENS = 256
OVERLAP = 48

_FEWEST_CHARS = 7  # the widest kernel of the network's character convolution
_OWN_WINDOWS = 8  # the best decoded views; the others share theirs
_SPECIAL = 2  # [CLS] and [SEP]
_COLUMN = {pattern: column for column, pattern in enumerate(PATTERNS)}

Detect = Callable[[Canonical], Sequence[Match]]


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """One input of the network, at most `max_tokens` long.

    Attributes:
        token_ids: `(tokens,)` int32, from [CLS] to [SEP].
        char_ids: `(tokens, chars)` int32, the raw characters of each token, zero-padded; `chars` is
            what the longest token needs, from 7 to 20. The rows of [CLS] and [SEP] are zero.
        pattern_scores: `(6,)` float32, the best match of each detector that overlaps the window.
        segment: The index of the source, plus four where the window shows a decoded view as such. A
            view is read a second time as any other text of its source.
        start: First raw character covered; for views, where the first of their matches begins.
        end: One past the last raw character covered; for views, where the last match ends.
        match: For a view, the index of its match in `Features.matches`; in a window that several
            views share, of the first. None where the window shows the raw text.
    """

    token_ids: Indices
    char_ids: Indices
    pattern_scores: NDArray[np.float32]
    segment: int
    start: int
    end: int
    match: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Everything the network is shown of a text.

    Attributes:
        windows: At least one; those over the raw text come first, in order.
        matches: All that the detectors found in the raw text, views in full length.
        scanned: Characters seen, of characters given.
    """

    windows: list[Window]
    matches: list[Match]
    scanned: tuple[int, int]

    @property
    def shown(self) -> list[Match]:
        """The matches that a reader is shown: the strongest of each detector, views shortened."""
        return strongest(self.matches)

    @property
    def blank(self) -> bool:
        """Whether there is nothing to read: no token, and nothing found by a detector."""
        return not self.matches and len(self.windows[0].token_ids) == _SPECIAL


class FeatureExtractor:
    """Turns texts into windows."""

    def __init__(
        self,
        tokenizer: WordPieceTokenizer,
        *,
        max_tokens: int = MAX_TOKENS,
        overlap: int = OVERLAP,
        detect: Detect | None = None,
    ) -> None:
        """Fix the shape of the windows.

        Args:
            tokenizer: The checkpoint's tokenizer.
            max_tokens: Longest window, [CLS] and [SEP] included.
            overlap: Tokens that a window shares with the next.
            detect: What to run in place of the six detectors.
        """
        if not 0 <= overlap < max_tokens - _SPECIAL:
            raise ValueError(f"overlap={overlap} must be from 0 to {max_tokens - _SPECIAL - 1}")
        self._tokenizer = tokenizer
        self._room = max_tokens - _SPECIAL
        self._overlap = overlap
        self._detect: Detect = detect or detectors.detect

    def extract(self, text: str, source: Source) -> Features:
        """Read a whole text, and what its matches decode to."""
        segment = SOURCES.index(source)
        canonical = normalize(text)
        matches = list(self._detect(canonical))
        windows = self._windows(canonical, matches, segment)
        views = _views(matches)
        groups = [[index] for index in views[:_OWN_WINDOWS]]
        if further := sorted(views[_OWN_WINDOWS:], key=lambda index: matches[index].start):
            groups.append(further)
        for group in groups:
            windows += self._view_windows(group, matches, segment)
        return Features(windows, matches, (len(text), len(text)))

    def _view_windows(
        self, group: list[int], matches: Sequence[Match], segment: int
    ) -> list[Window]:
        """Windows over the views of some matches, one view a line: first as views, then as text.

        As text they are what the same text would be if nothing had hidden it.
        """
        views = [matches[index].decoded or "" for index in group]
        canonical = normalize("\n".join(views))
        begins = accumulate((len(view) + 1 for view in views[:-1]), initial=0)
        lines = [
            replace(matches[index], start=begin, end=begin + len(view))
            for index, begin, view in zip(group, begins, views, strict=True)
        ]
        plain = self._windows(canonical, self._detect(canonical), segment)
        found = _scores(lines, [(window.start, window.end) for window in plain])
        as_views = [
            replace(
                window,
                segment=segment + len(SOURCES),
                pattern_scores=np.maximum(window.pattern_scores, scores),
            )
            for window, scores in zip(plain, found, strict=True)
        ]
        placed: list[Window] = []
        for window in [*as_views, *plain]:
            first = bisect(lines, window.start, key=attrgetter("end"))
            last = max(bisect_left(lines, window.end, key=attrgetter("start")), first + 1)
            held = [matches[index] for index in group[first:last]]
            start, end = held[0].start, max(match.end for match in held)
            placed.append(replace(window, start=start, end=end, match=group[first]))
        return placed

    def _windows(
        self, canonical: Canonical, matches: Sequence[Match], segment: int
    ) -> list[Window]:
        encoding = self._tokenizer.encode(canonical.text, lossless=True)
        starts, ends = canonical.spans(encoding.starts, encoding.ends)
        codes = char_codes(canonical.raw)
        stride = self._room - self._overlap
        parts = [
            slice(first, min(first + self._room, len(starts)))
            for first in range(0, max(len(starts) - self._overlap, 1), stride)
        ]
        # A window reaches to where the token after it begins: no character falls between two.
        spans = [
            (
                int(starts[part.start]) if part.start else 0,
                int(starts[part.stop]) if part.stop < len(starts) else len(codes),
            )
            for part in parts
        ]
        return [
            Window(
                token_ids=self._framed(encoding.ids[part]),
                char_ids=_char_ids(codes, starts[part], ends[part]),
                pattern_scores=scores,
                segment=segment,
                start=span[0],
                end=span[1],
                match=None,
            )
            for part, span, scores in zip(parts, spans, _scores(matches, spans), strict=True)
        ]

    def _framed(self, ids: Indices) -> Indices:
        framed = np.empty(len(ids) + _SPECIAL, np.int32)
        framed[0], framed[1:-1], framed[-1] = self._tokenizer.cls_id, ids, self._tokenizer.sep_id
        return framed


def _char_ids(codes: Indices, starts: Indices, ends: Indices) -> Indices:
    longest = max((ends - starts).tolist(), default=0)
    width = min(max(longest, _FEWEST_CHARS), CHARS_PER_TOKEN)
    framed = np.zeros((len(starts) + _SPECIAL, width), np.int32)
    framed[1:-1] = aligned_chars(codes, starts, ends, width)
    return framed


def _scores(matches: Sequence[Match], spans: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """The best score of each pattern in each raw span, in order: `(spans, 6)`."""
    scores = np.zeros((len(spans), len(PATTERNS)), np.float32)
    for match in matches:
        first = bisect(spans, match.start, key=itemgetter(1))
        last = bisect_left(spans, match.end, key=itemgetter(0))
        column = scores[first:last, _COLUMN[match.pattern]]
        np.maximum(column, np.float32(match.score), out=column)
    return scores


def _views(matches: Sequence[Match]) -> list[int]:
    """The matches whose decoded text is worth reading, best first, each text once."""
    best: dict[str, int] = {}
    for index in sorted(range(len(matches)), key=lambda index: -matches[index].score):
        decoded = matches[index].decoded
        if decoded and not decoded.isspace():
            best.setdefault(decoded, index)
    return list(best.values())

"""Which windows of a text are learned from, and as what.

A text has one label, a long text many windows, and an attack often stands in one of them only.
Calling every window an attack would teach the network that harmless prose is one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tinyguardrail_sdk.features import Features, Window
from tinyguardrail_sdk.labels import SOURCES, Label
from tinyguardrail_sdk.training.data.schema import Example

# A window that holds less of an attack than this is neither attack nor benign: left out.
_ENOUGH_CHARS = 40
_ENOUGH_SHARE = 0.5

Chosen = list[tuple[Window, Label]]


@dataclass(frozen=True)
class WindowRules:
    """Limits per text.

    Attributes:
        whole: Keep every window with the label of its text: for scoring, not for learning.
        benign: Most benign windows.
        attack: First windows of an attack that take its label.
        further: Windows of an attack drawn at random from those that follow.
        views: Most decoded views.
    """

    whole: bool = False
    benign: int = 2
    attack: int = 2
    further: int = 1
    views: int = 2


def choose_windows(example: Example, features: Features, rules: WindowRules, seed: str) -> Chosen:
    """Choose and label the windows of one text; `seed` decides among the many of a long one."""
    windows = features.windows
    if rules.whole:
        return [(window, example.label) for window in windows]
    rng = random.Random(seed)
    written = [window for window in windows if window.match is None]
    # Views as such; read as plain text, which of its classes an attack in one has, nobody labelled.
    views = [window for window in windows if window.segment >= len(SOURCES)]
    if example.label is Label.BENIGN:
        chosen = [(window, Label.BENIGN) for window in _sample(written, rules.benign, rng)]
    elif example.span is None:
        chosen = _attack(written, example.label, rules, rng)
    else:
        chosen = _planted(written, example.label, example.span, rules, rng)
        views = [view for view in views if _overlap(view, example.span)]
    # A decoded injection is plain injection text or nothing: which of both, nobody labelled.
    if example.label in (Label.BENIGN, Label.OBFUSCATION):
        chosen += [(view, example.label) for view in views[: rules.views]]
    return chosen


def window_text(example: Example, features: Features, window: Window) -> str:
    """What stands in a window: its characters, or of decoded views the first, whole."""
    if window.match is None:
        return example.text[window.start : window.end]
    return features.matches[window.match].decoded or ""


def _attack(windows: list[Window], label: Label, rules: WindowRules, rng: random.Random) -> Chosen:
    kept = windows[: rules.attack] + _sample(windows[rules.attack :], rules.further, rng)
    return [(window, label) for window in kept]


def _planted(
    windows: list[Window],
    label: Label,
    span: tuple[int, int],
    rules: WindowRules,
    rng: random.Random,
) -> Chosen:
    enough = min(_ENOUGH_CHARS, _ENOUGH_SHARE * (span[1] - span[0]))
    inside = [window for window in windows if 0 < _overlap(window, span) >= enough]
    if not inside:
        inside = [max(windows, key=lambda window: _overlap(window, span))]
    outside = [window for window in windows if not _overlap(window, span)]
    benign = [(window, Label.BENIGN) for window in _sample(outside, rules.benign, rng)]
    return _attack(inside, label, rules, rng) + benign


def _overlap(window: Window, span: tuple[int, int]) -> int:
    return max(0, min(window.end, span[1]) - max(window.start, span[0]))


def _sample(windows: Sequence[Window], limit: int, rng: random.Random) -> list[Window]:
    if len(windows) <= limit:
        return list(windows)
    return [windows[index] for index in sorted(rng.sample(range(len(windows)), limit))]

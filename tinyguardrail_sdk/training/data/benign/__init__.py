"""Hard negatives: benign texts that look like attacks, and the ordinary texts around them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Protocol

from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.training.data import sheets
from tinyguardrail_sdk.training.data.benign import (
    answers,
    data_like,
    disguised,
    fragments,
    quoted,
    requests,
)
from tinyguardrail_sdk.training.data.benign.compound import Compound
from tinyguardrail_sdk.training.data.benign.grown import Grown
from tinyguardrail_sdk.training.data.noise import clause
from tinyguardrail_sdk.training.data.schema import Example


class Generator(Protocol):
    """Yields `count` examples drawn from `rng`; held-out ones come from frames kept for testing."""

    def __call__(
        self, rng: random.Random, count: int, *, heldout: bool = False
    ) -> Iterator[Example]:
        """Make them."""
        ...


_USER, _DOCUMENT, _TOOL = Source.USER, Source.DOCUMENT, Source.TOOL
_LANGUAGES = ("de", "fr", "es", "zh", "hi", "pt", "ru", "it")

_TRIGGER = Grown(
    "trigger", ("carriers", "trigger", "trigger_more"), {"trigger_doc": (_DOCUMENT, _TOOL)}
)
_NEAR_MISS = Grown(
    "near_miss",
    ("near_miss",),
    {"doc": (_DOCUMENT, _TOOL), "output": (Source.OUTPUT,)},
    noise=clause,
    rough=True,
)
_ABOUT = Grown(
    "about",
    ("carriers", "about"),
    {"about_doc": (_DOCUMENT, _DOCUMENT, _TOOL), "about_ticket": (_TOOL, _DOCUMENT)},
)
_EDGY = Grown("edgy", ("carriers", "edgy", "edgy_more", "edgy_long"))
_SCENARIO = Grown("scenario", ("carriers", "scenario", "scenario_more"))
_AIWORDS = Grown("aiwords", ("carriers", "aiwords", "aiwords_more"))
_ROLEPLAY = Grown("roleplay", ("carriers", "roleplay", "roleplay_more"))
_APP_PROMPT = Grown("app", ("carriers", "app_rules", "requests_app"), context=0.1)
_FRAMED = Grown("framed", ("carriers", "framed"), context=0.1)
_EDGY_FRAMED = Grown("edgy_framed", ("carriers", "edgy_framed"), context=0.1)
_ALARMING = Grown("alarming", ("carriers", "alarming"), context=0.1)
_OFFICE = Grown(
    "office",
    ("carriers", "office"),
    {
        **dict.fromkeys(("of_api", "of_ticket"), (_TOOL, _TOOL, _DOCUMENT)),
        "of_": (_DOCUMENT, _DOCUMENT, _TOOL),
    },
)
_EVERYDAY = Grown("everyday", ("carriers", "snippets", "everyday"))
_FOLLOWUP = Grown("followup", ("carriers", "followup"), context=0.1)
_ENCODING = Grown("encoding", ("carriers", "encoding"), {"blobs": (_USER, _TOOL, _DOCUMENT)})
_OUTPUT = Grown("output", ("carriers", "snippets", "outputs"), {"": (Source.OUTPUT,)})
_MULTILINGUAL = Grown(
    "multilingual",
    ("multilingual", "multilingual_more", "multilingual_edgy", "multilingual_chat"),
    {f"{code}_doc": (_DOCUMENT, _TOOL) for code in _LANGUAGES},
    language=lambda technique: technique[:2],
)

GENERATORS: dict[str, Generator] = {
    "request": requests.generate,
    "trigger": _TRIGGER,
    "near_miss": _NEAR_MISS,
    "about": _ABOUT,
    "edgy": _EDGY,
    "scenario": _SCENARIO,
    "aiwords": _AIWORDS,
    "roleplay": _ROLEPLAY,
    "app_prompt": _APP_PROMPT,
    "framed": _FRAMED,
    "edgy_framed": _EDGY_FRAMED,
    "alarming": _ALARMING,
    "office": _OFFICE,
    "everyday": _EVERYDAY,
    "followup": _FOLLOWUP,
    "encoding": _ENCODING,
    "harmless_disguise": disguised.generate,
    "data_like": data_like.generate,
    "fragment": fragments.generate,
    "output": _OUTPUT,
    "answer": answers.generate,
    "sheet": sheets.generate,
    "quoted": quoted.generate,
    "multilingual": _MULTILINGUAL,
    "compound": Compound(
        {
            _EVERYDAY: 8,
            _EDGY: 3,
            _TRIGGER: 3,
            _AIWORDS: 3,
            _FOLLOWUP: 2,
            _ROLEPLAY: 2,
            _SCENARIO: 2,
            _ENCODING: 1,
        },
        _OUTPUT,
    ),
}

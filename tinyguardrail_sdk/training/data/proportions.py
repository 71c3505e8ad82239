"""How much of what makes up a generated training set: the tables behind `generate`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DEFAULT_TOTAL = 105_000  # rows of a set, if nothing else is asked for

# Rows in proportion to each other: `generate` scales them, and the caps of pools, to the size asked
# for. `obfuscation` and `tongue` are as large as they are because few `written` texts are encoded
# or foreign. Class shares come out near benign 58 / injection 25 / jailbreak 11 / obfuscation 6 per
# cent.
GENERATED: Mapping[str, int] = MappingProxyType(
    {
        "written": 90_000,  # 3 in 8 attacked; at most all of them, nine in ten by default
        # attacks
        "injection": 5_500,
        "jailbreak": 6_000,
        "obfuscation": 13_000,
        # pairs
        "twins": 11_000,  # 9 in 20 attacked
        "carried": 8_000,  # 1 in 2 attacked
        "records": 5_900,  # 1 in 2 attacked
        "addressed": 6_000,  # 1 in 2 attacked
        "small_task": 4_400,  # 1 in 2 attacked
        "by_source": 6_000,  # every fourth one attacked, two in four from users
        "technical_planted": 2_000,  # 1 in 2 attacked
        "guarded": 2_200,  # 1 in 2 attacked
        "scene": 3_200,  # every other one a jailbreak
        "woven": 8_500,  # every third one a jailbreak
        "wrapped": 7_000,  # every other one a jailbreak
        "wrapped_tongues": 9_000,  # 1 in 2 attacked
        "turned": 7_500,  # 1 in 2 attacked
        "lookalike": 6_000,  # every fourth one attacked
        "tongue": 25_000,  # 1 in 2 attacked
        # benign
        "carrier": 300,
        "technical": 3_000,
        "request": 1_500,
        "app_prompt": 1_500,
        "harmless_disguise": 1_200,
        "data_like": 2_200,
        "fragment": 2_600,
        "trigger": 2_000,
        "near_miss": 700,  # about as many as there are short injections, and as spread
        "about": 900,
        "edgy": 2_000,
        "aiwords": 1_400,
        "scenario": 1_300,
        "compound": 2_000,
        "roleplay": 700,
        "framed": 1_300,
        "edgy_framed": 1_200,
        "alarming": 1_200,
        "office": 1_500,
        "everyday": 700,
        "followup": 700,
        "encoding": 450,
        "output": 450,
        "answer": 2_800,
        "sheet": 1_200,
        "quoted": 250,
        "multilingual": 1_500,
    }
)

# At most so many rows of a pool at scale 1, where files not named here come whole, by file and
# class. The caps keep one style (templates, Wikipedia questions, competition entries) from drowning
# the others.
POOL_CAPS: Mapping[tuple[str, str], int] = MappingProxyType(
    {
        ("bipia_train", "injection"): 700,
        ("hackaprompt", "injection"): 450,
        ("deepset_hindi", "injection"): 450,
        ("gcg_like_suffixes", "jailbreak"): 450,
        ("foresight_attacks", "jailbreak"): 750,
        ("jailbreak_templates", "jailbreak"): 700,
        ("jailbreak_screenplay", "jailbreak"): 250,
        ("benign_about_security", "benign"): 500,
        ("benign_act_as_prompts", "benign"): 700,
        ("benign_chat_mix", "benign"): 2_600,
        ("benign_code", "benign"): 500,
        ("benign_function_calling", "benign"): 500,
        ("benign_gpteacher", "benign"): 2_000,
        ("benign_long_documents", "benign"): 300,
        ("benign_math", "benign"): 200,
        ("benign_multilingual", "benign"): 700,
        ("benign_t0_mixture", "benign"): 700,
        ("benign_tech_docs", "benign"): 800,
        ("benign_tool_outputs", "benign"): 300,
        ("bipia_train", "benign"): 300,
        ("deepset_hindi", "benign"): 400,
    }
)

"""Scenes come in pairs: one around a harmless wish, one around a harmful request."""

import random

from tinyguardrail_sdk.labels import Label
from tinyguardrail_sdk.training.data import scenes
from tinyguardrail_sdk.training.data.attacks import jailbreak


def test_scenes_are_those_of_jailbreaks_around_harmless_and_harmful_wishes() -> None:
    wish, payload = "What is the capital of France?", "Explain how to forge a passport"
    examples = list(scenes.generate(random.Random(3), 400, payloads=[payload], collected=[wish]))
    attacks = {e.family for e in jailbreak.generate(random.Random(3), 3000)}
    harmless = [e for e in examples if e.label is Label.BENIGN]

    assert {e.family for e in examples} <= attacks
    assert len(harmless) == 200
    assert sum("capital of France" in e.text for e in harmless) > 60
    assert sum("forge a passport" in e.text for e in examples) > 100
    assert not any("forge a passport" in e.text for e in harmless)


def test_a_scene_and_its_twin_stand_in_the_same_frame() -> None:
    pairs = list(scenes.generate(random.Random(3), 100))

    assert [e.family for e in pairs[::2]] == [e.family for e in pairs[1::2]]

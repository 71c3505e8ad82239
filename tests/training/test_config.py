from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tinyguardrail_sdk.training.config import from_dict, load_config


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("log_every", 0, "at least 1"),
        ("validate_every", 0, "at least 1"),
        ("seed", -1, "negative"),
        ("checkpoint_minutes", 0, "above 0"),
        ("precision", "fp8", "auto"),
        ("data.workers", 0, "at least 1"),
        ("data.overlap", 254, "smaller"),
        ("data.tokens_per_batch", 255, "max_tokens"),
        ("data.max_rows", 0, "at least 1"),
        ("data.validation_texts", -1, "negative"),
        ("data.max_tokens", 1024, "max_positions"),
        ("optimizer.lr", 0, "usual"),
        ("optimizer.new_lr", 1, "usual"),
        ("optimizer.weight_decay", -1, "turns it off"),
        ("optimizer.clip", -1, "turns it off"),
        ("optimizer.ema", 1, "[0, 1)"),
        ("optimizer.accumulation", 0, "at least 1"),
        ("schedule.epochs", 0, "above 0"),
        ("schedule.max_steps", -1, "negative"),
        ("schedule.max_minutes", -1, "negative"),
        ("schedule.warmup", 1, "[0, 1)"),
        ("schedule.decay", "stairs", "cosine"),
        ("schedule.quantized_from", 2, "[0, 1]"),
        ("network.heads", 7, "multiple"),
        ("losses.focal_gamma", -1, "negative"),
        ("distillation.weight", 0, "turns it off"),
        ("distillation.temperature", 0, "usual"),
        ("adversarial.kind", "magic", "fgsm"),
        ("adversarial.epsilon", 0, "kind=none"),
        ("mutation.share", 1, "[0, 1)"),
        ("mutation.keep", 0, "share=0"),
    ],
)
def test_nonsense_is_refused_with_field_and_fix(field: str, value: object, word: str) -> None:
    changes = [f"{field}={json.dumps(value)}"]
    if field == "data.max_tokens":
        changes.append("data.tokens_per_batch=4096")
    with pytest.raises(ValueError, match=field.split(".")[-1]) as caught:
        load_config(None, changes)
    assert word in str(caught.value)


def test_two_lengths_contradict_each_other() -> None:
    with pytest.raises(ValueError, match="max_steps and max_minutes"):
        load_config(None, ["schedule.max_steps=5", "schedule.max_minutes=5"])


def test_an_unknown_field_is_named_with_its_likely_meaning() -> None:
    with pytest.raises(ValueError, match=r"optimizer\.clipp; did you mean optimizer\.clip\?"):
        from_dict({"optimizer": {"clipp": 1}})
    with pytest.raises(ValueError, match="known: output"):
        from_dict({"zzz": 1})


def test_a_configuration_survives_json(tmp_path: Path) -> None:
    config = load_config(None, ["optimizer.lr=1e-4", 'data.train=["a.jsonl", "b.jsonl"]'])
    path = tmp_path / "run.json"
    path.write_text(json.dumps(config.to_dict()), encoding="utf-8")
    assert load_config(path) == config
    assert config.data.train == (Path("a.jsonl"), Path("b.jsonl"))


@pytest.mark.skipif(sys.version_info < (3, 11), reason="TOML comes with Python 3.11")
def test_toml_is_read_and_overridden(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("seed = 3\n[schedule]\nmax_minutes = 5\n", encoding="utf-8")
    config = load_config(path, ["schedule.decay=linear"])
    assert (config.seed, config.schedule.max_minutes, config.schedule.decay) == (3, 5, "linear")


def test_a_bad_file_or_override_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with pytest.raises(ValueError, match=r"run\.json: cannot be read"):
        load_config(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"run\.json"):
        load_config(path)
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="object"):
        load_config(path)
    with pytest.raises(ValueError, match="section.field=value"):
        load_config(None, ["optimizer.lr"])
    with pytest.raises(ValueError, match="seed is not a section"):
        load_config(None, ["seed=1", "seed.x=2"])


def test_fields_that_older_runs_hold_are_dropped() -> None:
    assert from_dict({"network": {"chars_per_token": 20, "hidden": 48}}).network.hidden == 48

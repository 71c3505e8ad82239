"""The mix: deterministic, labelled, balanced, without an easy way out by length."""

from __future__ import annotations

import json
from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.labels import Label, Source
from tinyguardrail_sdk.training.data.benign import GENERATORS
from tinyguardrail_sdk.training.data.benign.tongues import LANGUAGES
from tinyguardrail_sdk.training.data.generate import (
    GenerateConfig,
    close_enough,
    generate,
    mostly_latin,
)
from tinyguardrail_sdk.training.data.parts import DESCRIPTION, write_parts
from tinyguardrail_sdk.training.data.proportions import GENERATED
from tinyguardrail_sdk.training.data.report import Summary, shortcuts
from tinyguardrail_sdk.training.data.schema import Example, read_examples
from tinyguardrail_sdk.training.data.split import FROM_TEST


@pytest.fixture(scope="module")
def mixed() -> list[Example]:
    return list(generate(GenerateConfig(total=4500)))


def test_equal_configurations_make_equal_sets() -> None:
    made = [list(generate(GenerateConfig(seed=seed, total=400))) for seed in (7, 7, 8)]

    assert made[0] == made[1] != made[2]


def test_every_generator_has_its_share(mixed: list[Example]) -> None:
    kinds = {e.technique.split("/")[0] for e in mixed}

    assert set(GENERATORS) <= set(GENERATED)
    assert {"trigger", "edgy", "about", "scenario", "aiwords", "carrier", "harmless"} <= kinds
    assert {"twin_clean", "twin_user", "indirect_request", "guarded_clean"} <= kinds


def test_class_shares_hold_without_pools(mixed: list[Example]) -> None:
    shares = Counter(e.label for e in mixed)

    assert 0.3 < shares[Label.BENIGN] / len(mixed) < 0.65
    assert min(shares.values()) / len(mixed) > 0.045
    assert set(shares) == set(Label)


def test_a_language_does_not_tell_the_label(mixed: list[Example]) -> None:
    counts = Counter((e.language, e.label is Label.BENIGN) for e in mixed)
    rows = sum(n for (language, _), n in counts.items() if language in LANGUAGES)
    attacks = {language: counts[language, False] for language in LANGUAGES}

    assert 0.4 < sum(attacks.values()) / rows < 0.6
    assert min(attacks.values()) >= 0.001 * len(mixed)
    assert all(attacks[five] >= 0.004 * len(mixed) for five in ("de", "fr", "es", "zh", "hi"))


def test_attacks_and_benign_texts_come_from_every_reading_source(mixed: list[Example]) -> None:
    seen = {(e.source, e.label is Label.BENIGN) for e in mixed}

    assert seen == {(source, benign) for source in Source for benign in (True, False)}


def test_a_generator_can_be_left_out() -> None:
    makers = (
        "jailbreak",
        "scene",
        "woven",
        "wrapped",
        "wrapped_tongues",
        "lookalike",
        "carried",
        "written",
    )
    without = dict.fromkeys(makers, 0) | {"twins": 100}
    examples = generate(GenerateConfig(total=450, counts=without))

    assert Label.JAILBREAK not in {e.label for e in examples}


def test_unknown_generators_are_refused() -> None:
    with pytest.raises(ValueError, match="no generator named nonsense"):
        GenerateConfig(counts={"nonsense": 3})


def test_pool_rows_and_payloads_come_in(tmp_path: Path) -> None:
    rows = [
        {"text": "What is the tallest tree?", "label": "benign", "terms": "permissive"},
        {"text": "paint the moon zebra-striped", "label": "harmful_plain", "terms": "permissive"},
    ]
    pool = tmp_path / "mine.jsonl"
    pool.write_text("\n".join(map(json.dumps, rows)))

    texts = [e.text for e in generate(GenerateConfig(total=900, pools=(pool,)))]

    assert "What is the tallest tree?" in texts
    assert sum("zebra-striped" in text for text in texts) > 5
    assert "paint the moon zebra-striped" not in texts


def test_length_alone_tells_little(mixed: list[Example]) -> None:
    assert 0.3 < shortcuts(mixed)["length"] < 0.75


def test_the_summary_counts_what_is_there(mixed: list[Example]) -> None:
    summary = Summary(most=1000)
    for example in mixed:
        summary.add(example)
    report = summary.to_dict()

    assert report["rows"] == len(mixed) == sum(report["by"]["label"].values())
    assert report["by"]["language"] == Counter(e.language for e in mixed)
    assert report["drawn"] == report["diversity"]["all"]["texts"] == 1000
    assert report["diversity"]["all"]["distinct_3"] > 10_000
    assert report["chars"]["benign"]["p50"] > 0
    json.dumps(report, allow_nan=False)


def test_only_texts_that_ciphers_change_are_disguised() -> None:
    assert mostly_latin("How do I bake bread?")
    assert mostly_latin("Wie backe ich Brot für acht Gäste im Ofen, ohne Hefe zu nehmen?")
    assert not mostly_latin("रोटी कैसे बनाते हैं?")


def test_spans_stand_inside_their_texts(mixed: list[Example]) -> None:
    for example in mixed:
        if example.span is not None:
            start, end = example.span
            assert 0 <= start < end <= len(example.text)


def test_as_many_rows_are_made_as_are_asked_for(mixed: list[Example]) -> None:
    assert len(mixed) == len({(e.text, e.source) for e in mixed}) == 4500
    assert close_enough(1000, 950)
    assert not close_enough(1000, 949)


def test_generating_ends_where_there_is_nothing_more_to_draw_from(tmp_path: Path) -> None:
    pool = tmp_path / "mine.jsonl"
    pool.write_text('{"text": "only one", "label": "benign"}\n', encoding="utf-8")
    nothing = dict.fromkeys(GENERATED, 0)
    made = list(generate(GenerateConfig(total=10**5, pools=(pool,), counts=nothing)))
    assert [example.text for example in made] == ["only one"]


@pytest.mark.parametrize("whole", ["validation.jsonl.gz", DESCRIPTION])
def test_an_interruption_between_two_files_is_told_by_who_reads_them(
    whole: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_parts(GenerateConfig(total=120), tmp_path)
    moved = Path.replace

    def interrupted(path: Path, target: Path) -> Path:
        if target == tmp_path / whole:
            raise KeyboardInterrupt
        return moved(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_parts(GenerateConfig(total=120, seed=8), tmp_path)
    with pytest.raises(InputError, match="files of two sets.*--overwrite"):
        next(read_examples(tmp_path / "train.jsonl.gz"))
    write_parts(GenerateConfig(total=120, seed=8), tmp_path)
    assert next(read_examples(tmp_path / "train.jsonl.gz"))


def test_files_are_the_same_whatever_the_number_of_workers(tmp_path: Path) -> None:
    pool = tmp_path / "mine.jsonl"
    words = ["".join(letters) for letters in permutations("abcdefg", 4)]
    rows = [{"text": f"{word} or {word[::-1]}?", "label": "benign"} for word in words]
    pool.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    config = GenerateConfig(total=4100, pools=(pool,))
    made = []
    for workers in (1, 2):
        output = tmp_path / str(workers)
        sizes = write_parts(config, output, workers=workers)
        assert close_enough(4100, sizes["made"])
        made.append({path.name: path.read_bytes() for path in output.iterdir()})
    assert made[0] == made[1]
    assert set(made[0]) == {*(f"{part}.jsonl.gz" for part in FROM_TEST), DESCRIPTION}
    # Of three chunks, the pool is in all.
    train = [e.technique for e in read_examples(tmp_path / "1" / "train.jsonl.gz")]
    places = [place for place, technique in enumerate(train) if technique == "pool/mine"]
    assert places[0] < 0.2 * len(train)
    assert places[-1] > 0.8 * len(train)

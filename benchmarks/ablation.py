"""What each part of the network and of its training brings: one left out at a time, one budget.

`python -m benchmarks.ablation --output runs/ablation --init all_minilm_l6_v2 --minutes 3`, or with
`--small` a network that learns from scratch in that time, or with `--smallest` one that shows the
direction only, all variants in a quarter of an hour of one CPU core. Every variant is scored as its
INT8 export computes, on texts that chose nothing: as they are, mutated, and under the worst small
shift of their embeddings. One that is finished is not trained again, with other test texts only
scored again, and one that was interrupted goes on. Routing costs no training: "always fast" and
"always deep" are the baseline's own branches, which its router cannot bend.

Transfer against training from scratch takes the whole network, for a smaller one fits no base, and
equal steps: `--init all_minilm_l6_v2 --steps 400 --only full "from scratch"`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from accelerate import Accelerator

from benchmarks.timing import print_json, print_table
from benchmarks.training import SMALL
from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training import mutation_stream, train
from tinyguardrail_sdk.training.adversarial import robust_accuracy
from tinyguardrail_sdk.training.checkpoint import RunFolder, load_facts, load_model
from tinyguardrail_sdk.training.config import TrainConfig, load_config
from tinyguardrail_sdk.training.data.corpora import load_corpora, load_corpus
from tinyguardrail_sdk.training.data.corpus import FILES, Corpus, Packed, pack
from tinyguardrail_sdk.training.data.generate import GenerateConfig
from tinyguardrail_sdk.training.data.parts import DESCRIPTION, write_parts
from tinyguardrail_sdk.training.data.schema import read_examples, write_examples
from tinyguardrail_sdk.training.hardening import AdversarialConfig
from tinyguardrail_sdk.training.metrics import rate
from tinyguardrail_sdk.training.mutate import mutate_examples
from tinyguardrail_sdk.training.pipeline.contents import Contents
from tinyguardrail_sdk.training.quantization import prepare
from tinyguardrail_sdk.training.report.history import read_history
from tinyguardrail_sdk.training.validation import draw_texts, judge, score_texts

RESULT = "result.json"
FALSE_ALARMS = "0.01"

Blank = Callable[[Corpus], Corpus]


def whole(corpus: Corpus) -> Corpus:
    """The corpus as it is."""
    return corpus


def without_characters(corpus: Corpus) -> Corpus:
    """The corpus with every raw character as padding: the character CNN says the same of all."""
    return dataclasses.replace(
        corpus, chars=np.broadcast_to(np.zeros(1, corpus.chars.dtype), corpus.chars.shape)
    )


def without_detectors(corpus: Corpus) -> Corpus:
    """The corpus with all detector scores zero; the views that they decoded stay."""
    rows = np.array(corpus.rows)
    rows["patterns"] = 0.0
    return dataclasses.replace(corpus, rows=rows)


@dataclasses.dataclass(frozen=True)
class Variant:
    """One run.

    Attributes:
        changes: Overrides of the baseline's configuration.
        blank: What is done to every corpus that it sees.
        all_new: Whether all its weights start from nothing, and so learn at the rate of new ones.
    """

    changes: tuple[str, ...] = ()
    blank: Blank = whole
    all_new: bool = False


# Rows, steps, network and batches of `--smallest`.
SMALLEST = {"rows": 3000, "steps": 200}
SMALLEST_SHAPE = {
    "network.hidden": 64, "network.heads": 4, "network.char_filters": 8, "network.fast_layers": 2,
    "network.fast_ffn": 64, "network.deep_layers": 3, "network.experts": 4,
    "network.expert_ffn": 64, "network.router_hidden": 32, "data.tokens_per_batch": 2048,
    "mutation.texts": 128, "mutation.refresh": 50, "optimizer.lr": 2e-3, "optimizer.new_lr": 5e-3,
}  # fmt: skip
BASELINE = "full"
VARIANTS = {
    BASELINE: Variant(),
    "no adversarial": Variant(("adversarial.kind=none",)),
    "no mutator": Variant(("mutation.share=0",)),
    "no QAT": Variant(("schedule.quantized_from=1.0",)),
    "dense, no mixture": Variant(("network.experts=2", "network.expert_groups=2")),
    "no detectors": Variant(blank=without_detectors),
    "no character CNN": Variant(blank=without_characters),
    "from scratch": Variant(("init=scratch",), all_new=True),
}


def main() -> None:
    """Train, score and print."""
    arguments = _arguments()
    files = _files(arguments)
    names = [name for name in VARIANTS if not arguments.only or name in arguments.only]
    if arguments.init == "scratch" and "from scratch" in names:
        names.remove("from scratch")  # that is the baseline
    if not names:
        raise SystemExit("from scratch is the baseline: leave --only out, or give another --init")
    results = {name: _result(name, files, arguments) for name in names}
    rows = []
    for name, result in results.items():
        rows.append(_row(name, result, "routed"))
        if name == BASELINE:
            rows += [_row(f"always {b}", result, b) for b in ("fast", "deep")]
    texts = next(iter(results.values()))["texts"]
    budget = f"{arguments.steps} steps" if arguments.steps else f"{arguments.minutes:g} minutes"
    print(
        f"{budget} a variant from {arguments.init}, {texts} texts scored; 95 % Wilson intervals\n"
    )
    print_table(
        ["variant", "accuracy", "macro F1", "attacks caught at 1 % false alarms",
         "accuracy on mutants", "under PGD", "seconds", "tokens/s"],
        rows,
    )  # fmt: skip
    print_json("ablation", {"budget": budget, "results": results})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("runs/ablation"))
    parser.add_argument("--train", type=Path, nargs="+", help="generated where left out")
    parser.add_argument("--validation", type=Path, nargs="+")
    parser.add_argument("--test", type=Path, nargs="+", help="texts to score")
    parser.add_argument("--rows", type=int, help="of the generated data (6000)")
    parser.add_argument("--longest", type=int, help="only texts of so many characters")
    parser.add_argument("--init", default="scratch", help="where the baseline starts")
    parser.add_argument("--minutes", type=float, default=3.0, help="of training a variant")
    parser.add_argument("--steps", type=int, help="instead of minutes")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--small", action="store_true", help="a network that a laptop trains")
    size.add_argument("--smallest", action="store_true", help="3000 rows, 200 steps, one thread")
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS))
    parser.add_argument("--set", nargs="+", default=[], help="further overrides of all variants")
    arguments = parser.parse_args()
    if arguments.train and not (arguments.validation and arguments.test):
        parser.error("--train needs --validation and --test beside it")
    if (arguments.small or arguments.smallest) and arguments.init != "scratch":
        parser.error("--small and --smallest fit no pretrained base: leave out --init")
    usual = SMALLEST if arguments.smallest else {"rows": 6000, "steps": 0}
    for name, value in usual.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    return arguments


def _files(arguments: argparse.Namespace) -> dict[str, list[Path]]:
    """The files of each part, generated once where none are given."""
    parts = ("train", "validation", "test")
    if arguments.train:
        return {part: getattr(arguments, part) for part in parts}
    folder = arguments.output / f"data-{arguments.rows}"
    files = {part: folder / f"{part}.jsonl.gz" for part in parts}
    if not (folder / DESCRIPTION).is_file():
        write_parts(GenerateConfig(total=arguments.rows), folder)
    if arguments.longest:
        files = {part: _short(path, arguments.longest) for part, path in files.items()}
    return {part: [path] for part, path in files.items()}


def _short(path: Path, longest: int) -> Path:
    """A copy of a part without its long texts: they take most of the tokens, and so of the time."""
    copy = path.with_name(f"short-{longest}-{path.name}")
    if not copy.is_file():
        write_examples(copy, (row for row in read_examples(path) if len(row.text) <= longest))
    return copy


def _result(
    name: str, files: dict[str, list[Path]], arguments: argparse.Namespace
) -> dict[str, Any]:
    """What a variant reaches: read where it is finished, else made."""
    variant = VARIANTS[name]
    config = _config(name, files, arguments)
    kept = config.output / RESULT
    contents = Contents()
    learned = contents.hashes([*files["train"], *files["validation"]], arguments.output)
    told = {"config": config.to_dict(), "learned": learned}
    scored = {"scored": contents.hashes(files["test"], arguments.output)}
    if kept.is_file():
        stored: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        if {field: stored.get(field) for field in told} != told:
            raise InputError(
                f"{kept}: of other settings or texts; remove it, or give another --output"
            )
        if stored["scored"] == scored["scored"]:
            return stored
    else:
        _train(name, config, variant.blank)
    result = told | scored | _score(config, files["test"], variant.blank)
    kept.write_text(json.dumps(result), encoding="utf-8")
    return result


def _train(name: str, config: TrainConfig, blank: Blank) -> None:
    def blanked(*given: Any) -> tuple[Corpus, Corpus]:
        learned, held_out = load_corpora(*given)
        return blank(learned), blank(held_out)

    def blanked_mutants(*given: Any) -> Packed:
        corpus = blank(Corpus.of(pack(*given)))
        return {field: np.ascontiguousarray(getattr(corpus, field)) for field in FILES}

    with (
        mock.patch.object(train, "load_corpora", blanked),
        mock.patch.object(mutation_stream, "pack", blanked_mutants),
    ):
        ended = train.main(config, resume=bool(RunFolder(config.output).steps()))
    if ended.reason == "interrupted":
        raise SystemExit(f"{name}: interrupted; the same command goes on")


def _config(name: str, files: dict[str, list[Path]], arguments: argparse.Namespace) -> TrainConfig:
    changes: dict[str, Any] = {
        "output": str(arguments.output / name.replace(" ", "-").replace(",", "")),
        "init": arguments.init,
        "schedule.quantized_from": 0.85,
        "adversarial.kind": "fgsm",
        "adversarial.from_share": 0.4,
        "mutation.share": 0.25,
        "validate_every": 10**6,  # once, at the end: nothing is chosen
        "log_every": 10,
        "checkpoint_minutes": 1.0,
        "data.cache": str(arguments.output / "cache"),
        **{f"data.{part}": list(map(str, files[part])) for part in ("train", "validation")},
    }
    if arguments.steps:
        changes["schedule.max_steps"] = arguments.steps
    else:
        changes["schedule.max_minutes"] = arguments.minutes
    if arguments.small:
        changes |= {f"network.{field}": size for field, size in SMALL.items()}
    if arguments.smallest:
        changes |= {"threads": 1, "data.workers": 1, **SMALLEST_SHAPE}
    overrides = [f"{field}={json.dumps(value)}" for field, value in changes.items()]
    variant = VARIANTS[name]
    config = load_config(None, [*overrides, *arguments.set, *variant.changes])
    if variant.all_new:
        rates = dataclasses.replace(config.optimizer, lr=config.optimizer.new_lr)
        config = dataclasses.replace(config, optimizer=rates)
    return config


def _score(config: TrainConfig, test: list[Path], blank: Blank) -> dict[str, Any]:
    last = RunFolder(config.output).latest()
    model, _ = load_model(last)
    prepare(model)
    corpus = _test_corpus(config, test, blank)
    mutants = config.output / "mutants.jsonl.gz"
    examples = chain.from_iterable(map(read_examples, test))
    write_examples(mutants, mutate_examples(examples, variants=1, benign_share=1.0))
    tokens, max_rows = config.data.tokens_per_batch, config.data.max_rows

    def judged(corpus: Corpus) -> dict[str, Any]:
        texts = draw_texts(corpus, 0, config.seed)
        return judge(score_texts(model, corpus, texts, tokens=tokens, max_rows=max_rows))

    report, mutated = judged(corpus), judged(_test_corpus(config, [mutants], blank))
    robust = robust_accuracy(
        model,
        corpus,
        AdversarialConfig(windows=len(corpus.rows)),
        Accelerator(cpu=True),
        config.seed,
        tokens=tokens,
        max_rows=max_rows,
    )
    history = read_history(config.output)
    facts = load_facts(last)
    return {
        "texts": len(corpus.examples),
        "attacks": int((corpus.examples["label"] != 0).sum()),
        "mutants": sum(1 for _ in read_examples(mutants)),
        "windows": robust["windows"],
        "parameters": facts["parameters"],
        "seconds": facts["position"]["elapsed"],
        "tokens_per_second": float(np.median([r["tokens_per_second"] for r in history.train])),
        **{
            branch: {
                "accuracy": report[branch]["accuracy"],
                "macro_f1": report[branch]["macro_f1"],
                "caught": report[branch]["detection"][FALSE_ALARMS],
                "mutants": mutated[branch]["accuracy"],
                # No router under attack: the two branches are attacked together.
                "pgd": robust["pgd"].get(branch, {}).get("accuracy"),
            }
            for branch in ("routed", "fast", "deep")
        },
    }


def _test_corpus(config: TrainConfig, files: list[Path], blank: Blank) -> Corpus:
    data = dataclasses.replace(config.data, validation=tuple(files))
    return blank(load_corpus(dataclasses.replace(config, data=data), "validation"))


def _row(name: str, result: dict[str, Any], branch: str) -> list[str]:
    found = result[branch]
    return [
        name,
        _share(found["accuracy"], result["texts"]),
        f"{found['macro_f1']:.3f}",
        _share(found["caught"], result["attacks"]),
        _share(found["mutants"], result["mutants"]),
        _under_attack(result, branch),
        f"{result['seconds']:.0f}",
        f"{result['tokens_per_second']:,.0f}",
    ]


def _under_attack(result: dict[str, Any], branch: str) -> str:
    if branch != "routed":
        return _share(result[branch]["pgd"], result["windows"])
    return " ".join(f"{b} {result[b]['pgd']:.3f}" for b in ("fast", "deep"))


def _share(share: float | None, total: int) -> str:
    if share is None:
        return "-"
    found = rate(round(share * total), total)
    return f"{found.value:.3f} ({found.low:.3f}-{found.high:.3f})"


if __name__ == "__main__":
    main()

"""The stages of a pipeline in order, each with its settings, what it reads and what it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, MANIFEST_NAME
from tinyguardrail_sdk.training.compare import REGRESSION_SET
from tinyguardrail_sdk.training.pipeline import work
from tinyguardrail_sdk.training.pipeline.config import OWN_FIELDS, PipelineConfig
from tinyguardrail_sdk.training.pipeline.layout import Layout
from tinyguardrail_sdk.training.run_files import FACTS, METRICS
from tinyguardrail_sdk.training.settings import flat


@dataclass(frozen=True)
class Stage:
    """A step of the pipeline.

    Attributes:
        name: What it is called in lines and files.
        settings: Fields of the configuration that it goes by, named as `--set` names them, as JSON
            types.
        inputs: Files and folders whose contents decide what it makes.
        outputs: Files and folders that it writes.
        do: Does it; returns what there is to tell, as JSON types.
    """

    name: str
    settings: Mapping[str, Any]
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    do: Callable[[PipelineConfig, Layout], dict[str, Any]]


def stages(config: PipelineConfig, layout: Layout) -> list[Stage]:
    """The stages that a configuration asks for."""
    return [*_data(config, layout), _train(config, layout), *_after(config, layout)]


def _data(config: PipelineConfig, layout: Layout) -> Iterator[Stage]:
    if config.data.fetch:
        settings = _settings(config, "data.fetch", "data.terms")
        yield Stage("fetch", settings, (), (layout.fetched,), work.fetch)
    yield Stage(
        "generate",
        _settings(config, "data.samples", "data.seed", "data.pools", "data.terms", "workers"),
        config.data.pools,
        (layout.generated,),
        work.generate,
    )
    if config.data.mixed:
        public = (layout.fetched,) if config.data.fetch else ()
        yield Stage(
            "mix",
            _settings(config, "data.inputs", "data.against", "data.seed", "data.terms"),
            (layout.generated, *public, *config.data.inputs, REGRESSION_SET, *config.data.against),
            (layout.data,),
            work.mix,
        )
    yield Stage(
        "audit",
        _settings(config, "data.seed"),
        (layout.part("train"),),
        (layout.audit,),
        work.audit,
    )


def _train(config: PipelineConfig, layout: Layout) -> Stage:
    told = work.training_config(config, layout)
    weights = (*_weights(told.init), *_weights(told.distillation.teacher))
    return Stage(
        "train",
        _settings(config, "train"),
        (*told.data.train, *told.data.validation, told.data.vocab, *weights),
        (layout.run.best, layout.run.root / METRICS),
        work.train,
    )


def _after(config: PipelineConfig, layout: Layout) -> Iterator[Stage]:
    test = layout.part("test")
    yield Stage(
        "export",
        _settings(config, "export", "calibration", "workers"),
        (layout.run.best, layout.part("validation")),
        (layout.checkpoint,),
        work.export,
    )
    yield Stage(
        "evaluate",
        _settings(config, "workers"),
        (layout.checkpoint, test),
        (layout.evaluation,),
        work.evaluate,
    )
    yield Stage(
        "compare",
        _settings(config, "compare", "workers"),
        (layout.checkpoint, REGRESSION_SET, DEFAULT_CHECKPOINT / MANIFEST_NAME),
        (layout.comparison,),
        work.compare,
    )
    yield Stage(
        "report",
        {},
        (layout.run.best / FACTS, layout.run.root / METRICS, layout.evaluation, layout.comparison),
        (layout.report, layout.metrics),
        work.report,
    )


def _weights(name: str) -> tuple[Path, ...]:
    """What stands here under the name of a base or teacher; nothing for one of a hub."""
    path = DEFAULT_CHECKPOINT / MANIFEST_NAME if name == "shipped" else Path(name)
    return (path,) if name and path.exists() else ()


def _settings(config: PipelineConfig, *names: str) -> dict[str, Any]:
    """Fields of these names, and those in sections of these names; none that is not to be set."""
    return {
        name: value
        for name, value in flat(config.to_dict()).items()
        if name not in OWN_FIELDS and any(f"{name}.".startswith(f"{one}.") for one in names)
    }

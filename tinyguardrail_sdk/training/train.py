"""Training, one loop for all recipes: transfer, quantised, averaged, adversarial, from scratch.

- Both branches and the router learn from every window, on the model's own loss.
- One step is `accumulation` micro-batches; `accelerate` places, casts, scales, clips and averages
  over processes.
- The length is a number of steps or a wall-clock budget; either way the rate falls to 0 over it.
- What is kept as `best` is chosen on validation texts only.
- A run stopped at any step goes on from its last checkpoint as if nothing had been; with a
  length in steps, to the same weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from tinyguardrail_sdk.errors import CheckpointError
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, MANIFEST_NAME
from tinyguardrail_sdk.training import checkpoint
from tinyguardrail_sdk.training.adversarial import Adversary
from tinyguardrail_sdk.training.checkpoint import RunFolder
from tinyguardrail_sdk.training.config import OptimizerConfig, TrainConfig
from tinyguardrail_sdk.training.data.batches import BatchStream
from tinyguardrail_sdk.training.data.claimed import claimed
from tinyguardrail_sdk.training.data.corpora import load_corpora
from tinyguardrail_sdk.training.loop import Loop
from tinyguardrail_sdk.training.moving_average import WeightAverage
from tinyguardrail_sdk.training.mutation_stream import MutationStream
from tinyguardrail_sdk.training.network.model import TinyGuardrail, trainable_groups
from tinyguardrail_sdk.training.quantization import prepare
from tinyguardrail_sdk.training.reporter import Reporter
from tinyguardrail_sdk.training.restore import restore
from tinyguardrail_sdk.training.resuming import refuse_changes
from tinyguardrail_sdk.training.run_files import FACTS
from tinyguardrail_sdk.training.run_state import Data, Learner, Position, Start
from tinyguardrail_sdk.training.session import make_accelerator, restore_loop
from tinyguardrail_sdk.training.teacher_logits import taught
from tinyguardrail_sdk.training.tracking import close_trackers, open_tracker
from tinyguardrail_sdk.training.transfer import initialise
from tinyguardrail_sdk.training.validation import draw_texts


@dataclass(frozen=True)
class TrainResult:
    """How a run ended.

    Attributes:
        reason: `finished`, `patience` or `interrupted`.
        step: Steps done.
        best: Best validation score.
        best_step: Step that reached it.
        folder: The run folder.
    """

    reason: str
    step: int
    best: float
    best_step: int
    folder: Path


def main(config: TrainConfig, *, resume: bool = False) -> TrainResult:
    """Train.

    Args:
        config: The run.
        resume: Go on from the newest checkpoint in `config.output`.

    Raises:
        CheckpointError: There is nothing to resume, a run that would be overwritten, or another
            vocabulary than that of the resumed run.
        InputError: Data or vocabulary do not fit the configuration, a resumed run would be
            another one, or another command is writing to `config.output`.
        KeyboardInterrupt: It came before the loop began.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    accelerator = make_accelerator(config)
    with claimed(config.output) if accelerator.is_main_process else nullcontext():
        start = _begin(config, accelerator, resume)
        with _telling_of_an_interrupt(start):
            data = _open_data(start)
            learner = _build(start, data)
        reason = Loop(start, data, learner).run()
    close_trackers(accelerator)
    accelerator.free_memory()
    position = start.position
    return TrainResult(reason, position.step, position.best, position.best_step, config.output)


@contextmanager
def _telling_of_an_interrupt(start: Start) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        step = start.position.step + 1
        nothing = "" if start.resumed else " (without --resume: there is nothing to resume yet)"
        start.reporter.say(f"interrupted before step {step}; give the same command again{nothing}")
        raise


def _begin(config: TrainConfig, accelerator: Accelerator, resume: bool) -> Start:
    """Where the run is."""
    folder = RunFolder(config.output)
    if not resume and folder.steps():
        raise CheckpointError(
            f"{config.output}: holds a run; go on with --resume, or give another --output"
        )
    resumed = folder.latest() if resume else None
    facts = checkpoint.load_facts(resumed) if resumed else {}
    if resumed:
        refuse_changes(config, facts, accelerator.num_processes)
        checkpoint.check_vocabulary(resumed, config.data.vocab)
    position = Position(**facts.get("position", {}))
    reporter = Reporter(
        config.output,
        enabled=accelerator.is_main_process,
        resumed_step=position.step if resumed else None,
        track=open_tracker(accelerator, config, position.step if resumed else None),
    )
    return Start(config, accelerator, folder, resumed, facts, position, reporter)


def _open_data(start: Start) -> Data:
    """Texts as batches, from where the run is."""
    config, accelerator = start.config, start.accelerator
    with accelerator.main_process_first():
        learned, held_out = load_corpora(config, start.facts, start.reporter.say)
        learned = taught(learned, config, start.facts, accelerator.device)
    limits = {"tokens": config.data.tokens_per_batch, "max_rows": config.data.max_rows}
    stream = BatchStream(
        learned,
        seed=config.seed,
        rank=accelerator.process_index,
        world=accelerator.num_processes,
        **limits,
    )
    mutants = None
    if config.mutation.share:
        mutants = MutationStream(config, len(learned.examples), accelerator, limits)
    # Before the stream moves on: the plan of a run is made from its first epoch. Mutants come on
    # top of it.
    own_share = 1.0 - config.mutation.share
    steps_per_epoch = stream.batches_per_epoch / config.optimizer.accumulation / own_share
    stream.seek(start.position.epoch, start.position.batch)
    texts = draw_texts(held_out, config.data.validation_texts, config.seed)
    return Data(learned, held_out, texts, limits, stream, mutants, steps_per_epoch)


def _build(start: Start, data: Data) -> Learner:
    """The network and what trains it, as they were in the checkpoint of a resumed run."""
    config, accelerator, resumed = start.config, start.accelerator, start.resumed
    core = TinyGuardrail(config.network, config.losses, config.distillation)
    if resumed:
        checkpoint.load_into(core, resumed, raw=True)
        start.reporter.say(f"goes on after step {start.position.step}, from {resumed}")
    else:
        start.reporter.say(_initialise(core, config.init))
    if start.position.quantized:
        prepare(core)
    torch.manual_seed(config.seed + accelerator.process_index)  # each process its own dropout
    optimizer = torch.optim.AdamW(
        parameter_groups(core, config.optimizer),
        betas=(config.optimizer.beta1, config.optimizer.beta2),
        fused=True,
    )
    model, optimizer = accelerator.prepare(core, optimizer)
    average = WeightAverage(core, config.optimizer.ema) if config.optimizer.ema else None
    adversary = Adversary(config.adversarial, accelerator, model, core, config.seed)
    if resumed:
        if average:
            average.load(checkpoint.load_weights(resumed))
        restore_loop(checkpoint.load_optimizer(resumed), accelerator, optimizer, data.mutants)
    return Learner(core, model, optimizer, average, adversary)


def parameter_groups(model: TinyGuardrail, config: OptimizerConfig) -> list[dict[str, Any]]:
    """Groups for AdamW: own peak rate for new weights, no decay for biases and LayerNorms."""
    peaks = {"transferred": config.lr, "new": config.new_lr}
    groups = []
    for role, parameters in trainable_groups(model).items():
        listed = list(parameters)
        for decay, chosen in (
            (config.weight_decay, [p for p in listed if p.dim() > 1]),
            (0.0, [p for p in listed if p.dim() <= 1]),
        ):
            rates = {"lr": peaks[role], "peak": peaks[role], "weight_decay": decay}
            groups.append({"params": chosen, **rates})
    return [group for group in groups if group["params"]]


def _initialise(model: TinyGuardrail, init: str) -> str:
    if init == "scratch":
        return f"{model.parameter_count():,} parameters, from scratch"
    # A network that is not tied has two of what becomes one; the later read stays.
    shared = "; what is tied is its deep branch's" if model.config.tied else ""
    if (Path(init) / FACTS).is_file():
        checkpoint.load_into(model, Path(init))
        return f"{model.parameter_count():,} parameters, from {init}{shared}"
    if init == "shipped" or (Path(init) / MANIFEST_NAME).is_file():
        restored = restore(model, DEFAULT_CHECKPOINT if init == "shipped" else Path(init))
        return f"{model.parameter_count():,} parameters, from {restored}{shared}"
    return str(initialise(model, init))

"""The training loop, one for all recipes: transfer, quantised, averaged, adversarial, from scratch.

- Both branches and the router learn from every window, on the model's own loss.
- One step is `accumulation` micro-batches; `accelerate` places, casts, scales, clips and averages
  over processes.
- The length is a number of steps or a wall-clock budget; either way the rate falls to 0 over it.
- What is kept as `best` is chosen on validation texts only.
- A run stopped at any step goes on from its last checkpoint as if nothing had been; with a
  length in steps, to the same weights.
"""

from __future__ import annotations

import dataclasses
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tinyguardrail_sdk.errors import CheckpointError
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT, MANIFEST_NAME
from tinyguardrail_sdk.training import checkpoint
from tinyguardrail_sdk.training.adversarial import Adversary, robust_accuracy
from tinyguardrail_sdk.training.average import WeightAverage
from tinyguardrail_sdk.training.checkpoint import RunFolder, Snapshot
from tinyguardrail_sdk.training.config import OptimizerConfig, TrainConfig
from tinyguardrail_sdk.training.data.batches import BatchStream
from tinyguardrail_sdk.training.data.corpora import corpora_facts, load_corpora
from tinyguardrail_sdk.training.mutation_stream import MutationStream
from tinyguardrail_sdk.training.network.model import TinyGuardrail, trainable_groups
from tinyguardrail_sdk.training.quantization import prepare
from tinyguardrail_sdk.training.reporter import (
    Reporter,
    mutation_line,
    training_line,
    validation_line,
)
from tinyguardrail_sdk.training.restore import restore
from tinyguardrail_sdk.training.resuming import refuse_changes
from tinyguardrail_sdk.training.schedule import Schedule
from tinyguardrail_sdk.training.session import (
    Clock,
    Tally,
    agree,
    loop_state,
    make_accelerator,
    quick_attention,
    restore_loop,
    stop_on_signal,
)
from tinyguardrail_sdk.training.teacher_logits import taught
from tinyguardrail_sdk.training.tracking import close_trackers, open_tracker
from tinyguardrail_sdk.training.transfer import initialise
from tinyguardrail_sdk.training.validation import draw_texts, judge, score_texts
from tinyguardrail_sdk.version import __version__


@dataclass
class Position:
    """Where a run is; what a checkpoint stores of it.

    Attributes:
        step: Optimiser steps done.
        epoch: Epoch of the batch stream.
        batch: Batches taken from that epoch.
        elapsed: Seconds in the loop, over all sessions.
        best: Best validation score so far.
        best_step: Step that reached it.
        worse: Validations since then.
        quantized: Whether the branches compute as their INT8 export.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    elapsed: float = 0.0
    best: float = -1.0
    best_step: int = 0
    worse: int = 0
    quantized: bool = False


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
        CheckpointError: There is nothing to resume, or a run that would be overwritten.
        InputError: Data or vocabulary do not fit the configuration, or a resumed run would be
            another one.
    """
    # -- compute ---------------------------------------------------------------------------
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    accelerator = make_accelerator(config)
    device = accelerator.device
    folder = RunFolder(config.output)
    if not resume and folder.steps():
        raise CheckpointError(
            f"{config.output}: holds a run; go on with --resume, or give another --output"
        )
    resumed = folder.latest() if resume else None
    facts = checkpoint.load_facts(resumed) if resumed else {}
    if resumed:
        refuse_changes(config, facts, accelerator.num_processes)
    position = Position(**facts.get("position", {}))
    reporter = Reporter(
        config.output,
        enabled=accelerator.is_main_process,
        resumed_step=position.step if resumed else None,
        track=open_tracker(accelerator, config, position.step if resumed else None),
    )

    # -- data ------------------------------------------------------------------------------
    with accelerator.main_process_first():
        learned, held_out = load_corpora(config, facts, reporter.say)
        learned = taught(learned, config, facts, device)
    texts = draw_texts(held_out, config.data.validation_texts, config.seed)
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
    stream.seek(position.epoch, position.batch)

    # -- model -----------------------------------------------------------------------------
    core = TinyGuardrail(config.network, config.losses, config.distillation)
    if resumed:
        checkpoint.load_into(core, resumed, raw=True)
    else:
        reporter.say(_initialise(core, config.init))
    if position.quantized:
        _quantize(core)
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
        restore_loop(checkpoint.load_optimizer(resumed), accelerator, optimizer, mutants)

    # -- schedule --------------------------------------------------------------------------
    schedule = Schedule(config.schedule, steps_per_epoch)
    clock = Clock(position.elapsed)
    tally = Tally(accelerator.num_processes)
    saved_at = position.elapsed

    def snapshot(report: dict[str, Any], *, to_resume: bool) -> Snapshot:
        record = {
            "version": __version__,
            "code": checkpoint.code_revision(),
            "config": config.to_dict(),
            "parameters": core.parameter_count(),
            "position": dataclasses.asdict(position),
            "processes": accelerator.num_processes,
            **corpora_facts(learned, held_out),
            "windows": len(learned.rows),
            "metrics": report,
        }
        raw = {name: tensor.detach().clone() for name, tensor in core.state_dict().items()}
        if average is None:
            weights = raw
        else:
            with average.in_place():
                weights = {name: t.detach().clone() for name, t in core.state_dict().items()}
        return Snapshot(
            weights=weights,
            raw=raw if average and to_resume else None,
            optimizer=loop_state(accelerator, optimizer, mutants) if to_resume else None,
            facts=record,
        )

    def validate() -> dict[str, Any]:
        with average.in_place() if average else nullcontext():
            report = judge(score_texts(model, held_out, texts, device=device, **limits))
            if config.adversarial.kind != "none":
                report["robust"] = robust_accuracy(
                    core, held_out, config.adversarial, accelerator, config.seed, **limits
                )
        better = report["score"] > position.best
        if better:
            position.best, position.best_step, position.worse = report["score"], position.step, 0
        else:
            position.worse += 1
        reporter.record(
            {"kind": "validation", "step": position.step, **report}, validation_line(report)
        )
        if better:
            kept = snapshot(report, to_resume=False)
            if accelerator.is_main_process:
                _try(reporter, lambda: folder.save_best(kept))
        return report

    # -- loop ------------------------------------------------------------------------------
    report: dict[str, Any] = facts.get("metrics", {})
    model.train()
    with reporter, quick_attention(accelerator), stop_on_signal() as stop_asked:
        while True:
            elapsed, stop = agree(accelerator, clock.elapsed(), stop_asked.is_set())
            progress = schedule.progress(position.step, elapsed)
            exhausted = 0 < config.patience <= position.worse
            if stop or exhausted or progress >= 1.0:
                break
            if progress >= config.schedule.quantized_from and not position.quantized:
                reporter.say("the branches now compute as their INT8 export")
                _quantize(core)
                # Earlier scores are of another arithmetic: the best must be chosen anew.
                position.quantized, position.best, position.worse = True, -1.0, 0

            factor = schedule.factor(position.step, elapsed)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * factor
            if mutants:
                with tally.paused():
                    chosen = mutants.refresh(core, position.step, progress)
                if chosen:
                    reporter.record(chosen, mutation_line(chosen))
            for turn in range(config.optimizer.accumulation):
                number = position.step * config.optimizer.accumulation + turn
                batch = next(mutants if mutants and mutants.due(number, progress) else stream)
                with accelerator.accumulate(model):
                    outputs = model(**batch.inputs(device), **batch.targets(device))
                    accelerator.backward(outputs.loss)
                    adversarial = adversary.learn(batch, number, progress)
                    if accelerator.sync_gradients and config.optimizer.clip:
                        accelerator.clip_grad_norm_(model.parameters(), config.optimizer.clip)
                    optimizer.step()
                    optimizer.zero_grad()
                tally.add(batch, outputs, adversarial)
            position.step += 1
            if average:
                average.update(position.step)
            position.epoch, position.batch = stream.epoch, stream.position
            position.elapsed = elapsed
            reporter.advance(progress)

            if position.step % config.log_every == 0:
                record = {"kind": "train", "step": position.step, "epoch": position.epoch,
                          "progress": progress, "lr_factor": factor, **tally.read()}  # fmt: skip
                reporter.record(record, training_line(record))
            if position.step % config.validate_every == 0:
                with tally.paused():
                    report = validate()
            if elapsed - saved_at > 60.0 * config.checkpoint_minutes:
                with tally.paused():
                    position.elapsed = clock.elapsed()
                    whole = snapshot(report, to_resume=True)
                    if accelerator.is_main_process:
                        _try(reporter, lambda whole=whole: folder.save_step(position.step, whole))
                saved_at = position.elapsed

        # -- end ---------------------------------------------------------------------------
        reason = "interrupted" if stop else "patience" if exhausted else "finished"
        position.elapsed = clock.elapsed()
        if not stop and position.step % config.validate_every:
            report = validate()
        whole = snapshot(report, to_resume=True)
        if accelerator.is_main_process:
            folder.save_step(position.step, whole)
        accelerator.wait_for_everyone()
        reporter.say(
            f"{reason} after {position.step} steps; best score {position.best:.4f} at step "
            f"{position.best_step}, in {folder.best}"
        )
    close_trackers(accelerator)
    accelerator.free_memory()
    return TrainResult(reason, position.step, position.best, position.best_step, config.output)


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
    if (Path(init) / checkpoint.FACTS).is_file():
        checkpoint.load_into(model, Path(init))
        return f"{model.parameter_count():,} parameters, from {init}"
    if init == "shipped" or (Path(init) / MANIFEST_NAME).is_file():
        restored = restore(model, DEFAULT_CHECKPOINT if init == "shipped" else Path(init))
        return f"{model.parameter_count():,} parameters, from {restored}"
    report = initialise(model, init)
    return f"{report.total:,} parameters, {report.copied:,} of them from {report.base}"


def _quantize(model: TinyGuardrail) -> None:
    prepare(model.fast)
    prepare(model.deep)


def _try(reporter: Reporter, save: Any) -> None:
    try:
        save()
    except OSError as error:
        # A full disk must not end a run that may yet find room; the older checkpoint is whole.
        reporter.say(f"could not write a checkpoint ({error.strerror}); the last one stays")

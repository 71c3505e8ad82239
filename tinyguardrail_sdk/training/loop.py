"""The steps of a run: learn, log, validate, keep the best, save, until it is time to end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch

from tinyguardrail_sdk.training import checkpoint
from tinyguardrail_sdk.training.adversarial import robust_accuracy
from tinyguardrail_sdk.training.checkpoint import Snapshot
from tinyguardrail_sdk.training.data.corpora import corpora_facts
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.quantization import prepare
from tinyguardrail_sdk.training.reporter import (
    mutation_line,
    training_line,
    validation_line,
)
from tinyguardrail_sdk.training.run_state import Data, Learner, Start
from tinyguardrail_sdk.training.schedule import Schedule
from tinyguardrail_sdk.training.session import (
    Clock,
    Tally,
    agree,
    loop_state,
    quick_attention,
    stop_on_signal,
)
from tinyguardrail_sdk.training.validation import judge, score_texts
from tinyguardrail_sdk.version import __version__


class Loop:
    """The loop of one session of a run.

    Args:
        start: Where it begins.
        data: What is learned from.
        learner: What learns.
    """

    def __init__(self, start: Start, data: Data, learner: Learner) -> None:
        self._config, self._accelerator = start.config, start.accelerator
        self._folder, self._reporter = start.folder, start.reporter
        self._position = start.position
        self._data, self._learner = data, learner
        self._schedule = Schedule(start.config.schedule, data.steps_per_epoch)
        self._clock = Clock(start.position.elapsed)
        self._tally = Tally(start.accelerator.num_processes)
        self._saved_at, self._saved_epochs = start.position.elapsed, data.stream.finished_epochs
        self._report: dict[str, Any] = start.facts.get("metrics", {})
        # Every checkpoint holds it; the file itself may go while the run lasts.
        self._vocab = start.config.data.vocab.read_bytes()

    def run(self) -> str:
        """Go on to the end, or until a signal comes or patience is over; return which it was."""
        position = self._position
        self._learner.model.train()
        with self._reporter, quick_attention(self._accelerator), stop_on_signal() as stop_asked:
            while True:
                elapsed, stop = agree(self._accelerator, self._clock.elapsed(), stop_asked.is_set())
                progress = self._schedule.progress(position.step, elapsed)
                exhausted = 0 < self._config.patience <= position.worse
                if stop or exhausted or progress >= 1.0:
                    break
                self._step(elapsed, progress)
            reason = "interrupted" if stop else "patience" if exhausted else "finished"
            self._end(reason)
        return reason

    def _step(self, elapsed: float, progress: float) -> None:
        position, config = self._position, self._config
        self._quantize(progress)
        factor = self._schedule.factor(position.step, elapsed)
        for group in self._learner.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        self._choose_mutants(progress)
        for turn in range(config.optimizer.accumulation):
            self._learn(position.step * config.optimizer.accumulation + turn, progress)
        position.step += 1
        if self._learner.average:
            self._learner.average.update(position.step)
        position.epoch, position.batch = self._data.stream.epoch, self._data.stream.position
        position.elapsed = elapsed
        self._reporter.advance(progress)

        if position.step % config.log_every == 0:
            self._log(progress, factor)
        if position.step % config.validate_every == 0:
            with self._tally.paused():
                self._validate(progress)
        epochs = self._data.stream.finished_epochs
        overdue = elapsed - self._saved_at > 60.0 * config.checkpoint_minutes
        if overdue or epochs > self._saved_epochs:
            with self._tally.paused():
                position.elapsed = self._clock.elapsed()
                self._try(self._save)
            self._saved_at, self._saved_epochs = position.elapsed, epochs

    def _quantize(self, progress: float) -> None:
        position = self._position
        if progress < self._config.schedule.quantized_from or position.quantized:
            return
        self._reporter.say(
            "the network now computes as its INT8 export; the best is chosen from here on"
        )
        prepare(self._learner.core)
        # Earlier scores are of another arithmetic: the best must be chosen anew.
        position.quantized, position.best, position.worse = True, -1.0, 0

    def _choose_mutants(self, progress: float) -> None:
        if self._data.mutants is None:
            return
        with self._tally.paused():
            chosen = self._data.mutants.refresh(self._learner.core, self._position.step, progress)
        if chosen:
            self._record(chosen, mutation_line(chosen))

    def _learn(self, number: int, progress: float) -> None:
        """One micro-batch, `number` of the run; the last of a step moves the weights."""
        accelerator, learner, clip = self._accelerator, self._learner, self._config.optimizer.clip
        device, model, mutants = accelerator.device, learner.model, self._data.mutants
        batch = next(mutants if mutants and mutants.due(number, progress) else self._data.stream)
        with accelerator.accumulate(model):
            outputs = model(**batch.inputs(device), **batch.targets(device))
            accelerator.backward(outputs.loss)
            adversarial = learner.adversary.learn(batch, number, progress)
            if accelerator.sync_gradients and clip:
                accelerator.clip_grad_norm_(model.parameters(), clip)
            learner.optimizer.step()
            learner.optimizer.zero_grad()
        self._tally.add(batch, outputs, adversarial)

    def _log(self, progress: float, factor: float) -> None:
        position = self._position
        record = {"kind": "train", "step": position.step, "epoch": position.epoch,
                  "progress": progress, "lr_factor": factor, **self._tally.read()}  # fmt: skip
        self._record(record, training_line(record))

    def _validate(self, progress: float) -> None:
        position, report = self._position, self._judged()
        better = report["score"] > position.best
        if better:
            position.best, position.best_step, position.worse = report["score"], position.step, 0
        elif progress >= self._config.last_phase:  # a stop before would leave that one out
            position.worse += 1
        self._report = report
        self._record(
            {"kind": "validation", "step": position.step, **report}, validation_line(report)
        )
        if better:
            kept = self._snapshot(to_resume=False)
            if self._accelerator.is_main_process:
                self._try(lambda: self._folder.save_best(kept))

    def _judged(self) -> dict[str, Any]:
        data, learner, config = self._data, self._learner, self._config
        device = self._accelerator.device
        with learner.average.in_place() if learner.average else nullcontext():
            scored = score_texts(
                learner.model, data.held_out, data.texts, device=device, **data.limits
            )
            report = judge(scored)
            if config.adversarial.kind != "none":
                report["robust"] = robust_accuracy(
                    learner.core,
                    data.held_out,
                    config.adversarial,
                    self._accelerator,
                    config.seed,
                    **data.limits,
                )
        return report

    def _snapshot(self, *, to_resume: bool) -> Snapshot:
        accelerator, data, learner = self._accelerator, self._data, self._learner
        record = {
            "version": __version__,
            "code": checkpoint.code_revision(),
            "config": checkpoint.stored_config(self._config),
            "parameters": learner.core.parameter_count(),
            "position": dataclasses.asdict(self._position),
            "processes": accelerator.num_processes,
            **corpora_facts(data.learned, data.held_out),
            "windows": len(data.learned.rows),
            "metrics": self._report,
        }
        weights = raw = _copied(learner.core)
        if learner.average:
            with learner.average.in_place():
                weights = _copied(learner.core)
        state = loop_state(accelerator, learner.optimizer, data.mutants) if to_resume else None
        return Snapshot(
            weights=weights,
            raw=raw if learner.average and to_resume else None,
            optimizer=state,
            facts=record,
            vocab=self._vocab,
        )

    def _save(self) -> None:
        whole = self._snapshot(to_resume=True)
        if self._accelerator.is_main_process:
            self._folder.save_step(self._position.step, whole)

    def _try(self, save: Callable[[], object]) -> None:
        try:
            save()
        except OSError as error:
            # A full disk must not end a run that may yet find room; the older checkpoint is whole.
            self._reporter.say(
                f"could not write a checkpoint ({error.strerror}); the last one stays"
            )

    def _record(self, record: dict[str, Any], summary: str) -> None:
        with self._folder.remedy():
            self._reporter.record(record, summary)

    def _end(self, reason: str) -> None:
        position = self._position
        position.elapsed = self._clock.elapsed()
        if reason != "interrupted" and position.step % self._config.validate_every:
            self._validate(1.0)
        with self._folder.remedy():
            self._save()
        self._accelerator.wait_for_everyone()
        self._reporter.say(f"{reason} after {position.step} steps; {self._kept()}")
        if reason == "interrupted":
            self._reporter.say(f"saved in {self._folder.latest()}")

    def _kept(self) -> str:
        position = self._position
        if not position.best_step:
            return "no validation yet"
        if position.best < 0:  # what was measured before quantisation does not count any more
            return (
                f"not validated since quantisation began; {self._folder.best} is of step "
                f"{position.best_step}, before it"
            )
        return (
            f"best score {position.best:.4f} at step {position.best_step}, in {self._folder.best}"
        )


def _copied(core: TinyGuardrail) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in core.state_dict().items()}

"""What one session of a run keeps: devices, clock, tally between log lines, signals, state."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from torch import Tensor
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from tinyguardrail_sdk.training.config import TrainConfig
from tinyguardrail_sdk.training.data.batches import Batch
from tinyguardrail_sdk.training.mutation_stream import MutationStream
from tinyguardrail_sdk.training.network.model import Outputs
from tinyguardrail_sdk.training.tracking import checked_tracker


def make_accelerator(config: TrainConfig) -> Accelerator:
    """What places, casts, scales, clips and averages over processes."""
    # Compiled CPU kernels, one a shape; read at the first product. The usual 1,024 are too few.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "20000")
    precision: str = config.precision
    if precision == "auto":
        precision = "no"
        if torch.cuda.is_available():
            precision = "bf16" if torch.cuda.is_bf16_supported(False) else "fp16"
    # An expert that no text of a batch chose has no gradient: processes must not wait for it.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    return Accelerator(
        mixed_precision=precision,
        log_with=checked_tracker(config.tracker),
        project_dir=config.output,
        gradient_accumulation_steps=config.optimizer.accumulation,
        kwargs_handlers=[unused],
    )


@contextmanager
def quick_attention(accelerator: Accelerator) -> Iterator[None]:
    """Compute attention as plain products inside the block where that is faster.

    PyTorch's fused attention for CPUs does not use their 16-bit units: its backward pass alone
    takes two fifths of a BF16 step.
    """
    if accelerator.device.type != "cpu" or accelerator.mixed_precision != "bf16":
        yield
        return
    usual = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()  # type: ignore[no-untyped-call]
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)  # of the CPU too, by its effect
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(usual)


class Clock:
    """Seconds in the loop, over all sessions of a run.

    Args:
        before: Seconds of the earlier sessions.
    """

    def __init__(self, before: float) -> None:
        self._start = time.monotonic() - before

    def elapsed(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self._start


class Tally:
    """Sums over the steps since the last log line; stays on the device until it is read.

    Args:
        processes: How many train; the others are taken to see as many tokens as this one.
    """

    def __init__(self, processes: int = 1) -> None:
        self._processes = processes
        self._clear()

    def _clear(self) -> None:
        self._sums: dict[str, Tensor | float] = {}
        self._branches: dict[str, dict[str, Tensor | float]] = {}
        self._load: Tensor | float = 0.0
        self._adversarial: list[Tensor] = []
        self._fast = 0.0
        self._batches = self._rows = self._tokens = 0
        self._since = time.monotonic()

    def add(self, batch: Batch, outputs: Outputs, adversarial: Tensor | None = None) -> None:
        """Count one micro-batch, and the loss on its shifted copy where there was one."""
        if adversarial is not None:
            self._adversarial.append(adversarial)
        terms = dict(outputs.route_info.losses)
        terms["loss"] = torch.stack(list(terms.values())).sum()
        for name, term in terms.items():
            self._sums[name] = self._sums.get(name, 0.0) + term
        self._fast += outputs.route_info.fast_share
        self._add_branches(batch, outputs)
        self._load = self._load + outputs.route_info.expert_load
        self._batches += 1
        self._rows += len(batch.labels)
        self._tokens += batch.tokens

    def read(self) -> dict[str, Any]:
        """Means since the last reading, and speed; starts anew."""
        seconds = max(time.monotonic() - self._since, 1e-9)
        means = {name: float(term) / self._batches for name, term in self._sums.items()}
        facts = {
            "loss": means.pop("loss"),
            "losses": means,
            "branches": {
                branch: {name: float(total) / self._rows for name, total in totals.items()}
                for branch, totals in self._branches.items()
            },
            "fast_share": self._fast / self._batches,
            "expert_load": _rounded(self._load / self._batches),
            "rows": self._rows,
            "tokens": self._tokens,
            "tokens_per_second": self._processes * self._tokens / seconds,
        }
        if self._adversarial:
            facts["adversarial_loss"] = float(torch.stack(self._adversarial).mean())
        self._clear()
        return facts

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the time inside the block out of the speed."""
        start = time.monotonic()
        yield
        self._since += time.monotonic() - start

    @torch.no_grad()
    def _add_branches(self, batch: Batch, outputs: Outputs) -> None:
        # Plain cross-entropy: unlike the objective, it can be held against validation.
        info = outputs.route_info
        for branch, logits in (("fast", info.fast_logits), ("deep", info.deep_logits)):
            if logits is None:
                continue
            labels = batch.labels.to(logits.device)
            totals = self._branches.setdefault(branch, {"loss": 0.0, "accuracy": 0.0})
            totals["loss"] += functional.cross_entropy(logits.float(), labels, reduction="sum")
            totals["accuracy"] += (logits.argmax(-1) == labels).sum()


def _rounded(values: Tensor | float) -> list[list[float]]:
    return [[round(value, 4) for value in row] for row in torch.as_tensor(values).tolist()]


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """Give an event that SIGINT or SIGTERM sets; a second signal acts as usual."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # no signals there
        yield asked
        return
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: object) -> None:
        asked.set()
        signal.signal(number, usual[signal.Signals(number)])

    for number in usual:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


def agree(accelerator: Accelerator, elapsed: float, stop: bool) -> tuple[float, bool]:
    """Make all processes see the first one's clock and anyone's wish to stop.

    Processes that decided by their own clocks would wait for each other for ever.
    """
    if accelerator.num_processes == 1:
        return elapsed, stop
    mine = torch.tensor([[elapsed, float(stop)]], device=accelerator.device)
    everyone = accelerator.gather(mine)
    return float(everyone[0, 0]), bool(everyone[:, 1].any())


def random_states(accelerator: Accelerator) -> dict[str, Tensor]:
    """Random states of all processes: (processes, bytes) by device kind."""
    states = {"cpu": torch.get_rng_state()}
    if accelerator.device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(accelerator.device)
    return {
        kind: accelerator.gather(state[None].to(accelerator.device)).cpu()
        for kind, state in states.items()
    }


def restore_random_states(accelerator: Accelerator, states: dict[str, Tensor]) -> None:
    """Continue with what `random_states` gave; a process that had none keeps its own."""
    mine = accelerator.process_index
    if mine < len(states["cpu"]):
        # A copy: PyTorch crashes on a state that is a view into the middle of a tensor.
        torch.set_rng_state(states["cpu"][mine].clone())
    if "cuda" in states and accelerator.device.type == "cuda" and mine < len(states["cuda"]):
        torch.cuda.set_rng_state(states["cuda"][mine].clone(), accelerator.device)


def loop_state(
    accelerator: Accelerator, optimizer: Any, mutants: MutationStream | None
) -> dict[str, Any]:
    """What the loop resumes from, weights and position left out."""
    state = {"optimizer": optimizer.state_dict(), "random": random_states(accelerator)}
    if accelerator.scaler is not None:
        state["scaler"] = accelerator.scaler.state_dict()
    if mutants is not None:
        state["mutants"] = mutants.state()
    return state


def restore_loop(
    state: dict[str, Any],
    accelerator: Accelerator,
    optimizer: Any,
    mutants: MutationStream | None,
) -> None:
    """Go on from what `loop_state` gave; what a run did not have starts anew."""
    optimizer.load_state_dict(state["optimizer"])
    if accelerator.scaler is not None and "scaler" in state:
        accelerator.scaler.load_state_dict(state["scaler"])
    if mutants is not None:
        mutants.load(state.get("mutants", {}))
    restore_random_states(accelerator, state["random"])

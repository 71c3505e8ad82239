"""Initialises the network from a pretrained BERT-shaped encoder.

Mapping, for the 6-layer MiniLM base:

| ours | from the base |
|---|---|
| token, position embeddings, LayerNorms, attention | copied; query, key and value repacked |
| fewer heads than the base | the strongest of each layer (`prune_heads`) |
| segment embeddings | every row is the base's token type 0 |
| deep layers 0..7 | base layers `DEEP_LAYERS` |
| experts of group g | slice g of the base layer's feed-forward; one of each group sum to it |
| fast layers 0..3 | base layers `FAST_LAYERS`, feed-forward cut to its strongest neurons |
| character CNN | starts at zero output, so the first forward pass is the base's |
| router, gates, heads, detector projection | from nothing |

Copies are independent from then on, unless `network.tied` shares attention and norms of a fast and
a deep layer from one base layer.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.training.bases import no_base, packaged_archive
from tinyguardrail_sdk.training.network.branches import Branch
from tinyguardrail_sdk.training.network.config import DEEP_LAYERS, FAST_LAYERS
from tinyguardrail_sdk.training.network.experts import MixtureOfExperts
from tinyguardrail_sdk.training.network.layers import Attention, EncoderLayer, FeedForward
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.network.pruning import prune_heads, strongest_neurons

State = dict[str, Tensor]

_WEIGHTS, _CONFIG = "model.safetensors", "config.json"
_HEADS = "num_attention_heads"


@dataclass(frozen=True)
class Base:
    """A pretrained BERT encoder.

    Attributes:
        state: Its tensors, under the names of `transformers`.
        heads: Attention heads of a layer, which no tensor's shape tells.
    """

    state: State
    heads: int


@dataclass(frozen=True)
class TransferReport:
    """What was taken from where.

    Attributes:
        base: Where the pretrained weights came from.
        copied: Parameters of our network that hold pretrained values.
        total: All parameters of our network.
        heads: By base layer, the numbers of the heads that were kept; empty where all were.
    """

    base: str
    copied: int
    total: int
    heads: dict[int, list[int]]

    def __str__(self) -> str:
        kept = "; ".join(
            f"{number}: {' '.join(map(str, heads))}" for number, heads in sorted(self.heads.items())
        )
        return f"{self.total:,} parameters, {self.copied:,} of them from {self.base}" + (
            f"; heads kept, by base layer, {kept}" if kept else ""
        )


def initialise(model: TinyGuardrail, base: str) -> TransferReport:
    """Copy a pretrained encoder into `model`, in place.

    Args:
        model: A network whose hidden size is the base's.
        base: A folder with `model.safetensors` and `config.json`, a zip that holds them, the name
            of an installed package that ships one (`all_minilm_l6_v2`), or a model hub id.

    Raises:
        FileNotFoundError: Nothing usable at `base`; the message says what was tried.
        InputError: The base is damaged, no BERT, or of another shape than the network; the message
            names the field to set.
    """
    loaded = load_base(base)
    _check_shapes(model, loaded, base)
    state = loaded.state
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    with torch.no_grad():
        _copy_embeddings(model, state)
        heads = _copy_branch(model.fast, loaded, FAST_LAYERS)
        heads |= _copy_branch(model.deep, loaded, DEEP_LAYERS)
        model.embeddings.characters.project.weight.zero_()
    changed = (
        int((parameter.detach() != before[name]).sum())
        for name, parameter in model.named_parameters()
    )
    return TransferReport(
        base=base,
        copied=sum(changed),
        total=model.parameter_count(),
        heads=heads if model.config.heads < loaded.heads else {},
    )


def load_base(base: str) -> Base:
    """Read a pretrained BERT encoder.

    Raises:
        FileNotFoundError: Nothing usable at `base`.
        InputError: What is there is damaged, or does not say how many heads it has.
    """
    path = Path(base)
    archive = path if path.suffix == ".zip" else packaged_archive(base)
    try:
        if path.is_dir():
            return _read(base, lambda name: (path / name).read_bytes())
        if archive is not None and archive.is_file():
            with zipfile.ZipFile(archive) as bundle:
                return _read(base, bundle.read)
    except (SafetensorError, zipfile.BadZipFile, KeyError) as error:
        raise InputError(
            f"base {base}: {_WEIGHTS} is missing or damaged ({type(error).__name__}); "
            "get it again, or choose another base"
        ) from None
    return _from_hub(base)


def _read(base: str, content: Callable[[str], bytes]) -> Base:
    state = dict(load(content(_WEIGHTS)))
    try:
        heads = int(json.loads(content(_CONFIG))[_HEADS])
    except (OSError, ValueError, LookupError, TypeError):
        raise InputError(
            f"base {base}: {_CONFIG} beside {_WEIGHTS} is missing, damaged or without {_HEADS}, "
            "which no weight tells; get it from where the weights are from"
        ) from None
    return Base(state, heads)


def _from_hub(name: str) -> Base:
    from transformers import AutoModel
    from transformers.utils import logging

    # What it reports (heads left out, downloads) says nothing of this network.
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        model = AutoModel.from_pretrained(name)
    except OSError as error:
        raise FileNotFoundError(no_base(name)) from error
    return Base(dict(model.state_dict()), model.config.num_attention_heads)


def _check_shapes(model: TinyGuardrail, loaded: Base, base: str) -> None:
    state = loaded.state
    words = state.get("embeddings.word_embeddings.weight")
    if words is None or "encoder.layer.0.attention.self.query.weight" not in state:
        raise InputError(f"base {base}: is no BERT-shaped encoder; choose one, such as MiniLM")
    config = model.config
    neurons = len(state["encoder.layer.0.intermediate.dense.weight"])
    head_width = words.shape[1] // loaded.heads
    if words.shape[1] != config.hidden:
        raise InputError(
            f"base {base}: has hidden size {words.shape[1]}, the network {config.hidden}; "
            f"set network.hidden={words.shape[1]}"
        )
    for field, fits, value in (
        ("heads", config.heads <= loaded.heads, f"{loaded.heads} or less"),
        ("head_width", config.attention_width == config.heads * head_width, head_width),
        ("vocab_size", len(words) <= config.vocab_size, f"{len(words)} or more"),
        ("fast_layers", config.fast_layers == len(FAST_LAYERS), len(FAST_LAYERS)),
        ("deep_layers", config.deep_layers == len(DEEP_LAYERS), len(DEEP_LAYERS)),
        ("fast_ffn", config.fast_ffn <= neurons, f"{neurons} or less"),
        ("expert_ffn", config.expert_ffn * config.expert_groups == neurons,
         neurons // config.expert_groups),
    ):  # fmt: skip
        if not fits:
            raise InputError(
                f"base {base}: does not fit network.{field}={getattr(config, field)}; "
                f"set network.{field}={value}"
            )
    for layers in (FAST_LAYERS, DEEP_LAYERS):
        missing = [n for n in layers if f"encoder.layer.{n}.output.dense.weight" not in state]
        if missing:
            raise InputError(f"base {base}: lacks layers {missing}; choose one with more layers")


def _copy_embeddings(model: TinyGuardrail, state: State) -> None:
    ours = model.embeddings
    words = state["embeddings.word_embeddings.weight"]
    ours.tokens.weight[: len(words)] = words
    # New entries start as plausible words: the base's mean, half its spread.
    extra = ours.tokens.weight[len(words) :]
    extra.copy_(words.mean(0) + 0.5 * words.std(0) * torch.randn_like(extra))
    positions = state["embeddings.position_embeddings.weight"]
    rows = min(len(positions), len(ours.positions.weight))
    ours.positions.weight[:rows] = positions[:rows]
    ours.segments.weight[:] = state["embeddings.token_type_embeddings.weight"][0]
    ours.norm.weight.copy_(state["embeddings.LayerNorm.weight"])
    ours.norm.bias.copy_(state["embeddings.LayerNorm.bias"])


def _copy_branch(branch: Branch, base: Base, mapping: tuple[int, ...]) -> dict[int, list[int]]:
    """Fill a branch; returns the heads that were kept, by base layer."""
    heads = {}
    for layer, number in zip(branch.encoder_layers(), mapping, strict=True):
        prefix = f"encoder.layer.{number}."
        part = {
            key[len(prefix) :]: value for key, value in base.state.items() if key.startswith(prefix)
        }
        heads[number] = _copy_attention(layer.attention, part, base.heads)
        _copy_rest(layer, part)
    return heads


def _copy_attention(ours: Attention, part: State, heads: int) -> list[int]:
    whole = {}
    for kind in ("weight", "bias"):
        query, key, value = (part[f"attention.self.{r}.{kind}"] for r in ("query", "key", "value"))
        whole[f"query.{kind}"], whole[f"key_value.{kind}"] = query, torch.cat([key, value])
        whole[f"output.{kind}"] = part[f"attention.output.dense.{kind}"]
    smaller, kept = prune_heads(whole, heads, ours.heads)
    ours.load_state_dict(smaller)
    return kept


def _copy_rest(layer: EncoderLayer, part: State) -> None:
    for kind in ("weight", "bias"):
        getattr(layer.attention_norm, kind).copy_(part[f"attention.output.LayerNorm.{kind}"])
        getattr(layer.output_norm, kind).copy_(part[f"output.LayerNorm.{kind}"])
    if isinstance(layer.feed_forward, MixtureOfExperts):
        _upcycle(layer.feed_forward, part)
    else:
        assert isinstance(layer.feed_forward, FeedForward)
        _prune(layer.feed_forward, part)


def _prune(ours: FeedForward, part: State) -> None:
    kept = strongest_neurons(
        part["intermediate.dense.weight"], part["output.dense.weight"], len(ours.up.weight)
    )
    _copy_slice(ours, part, kept, share_of_bias=1.0)


def _upcycle(mixture: MixtureOfExperts, part: State) -> None:
    """Give every expert of a group the same slice of the pretrained neurons."""
    neurons = torch.arange(len(part["intermediate.dense.weight"]))
    slices = neurons.chunk(mixture.groups)
    per_group = len(mixture.experts) // mixture.groups
    for index, expert in enumerate(mixture.experts):
        assert isinstance(expert, FeedForward)
        _copy_slice(expert, part, slices[index // per_group], share_of_bias=1 / mixture.groups)


def _copy_slice(ours: FeedForward, part: State, neurons: Tensor, *, share_of_bias: float) -> None:
    _copy_linear(
        ours.up,
        part["intermediate.dense.weight"][neurons],
        part["intermediate.dense.bias"][neurons],
    )
    _copy_linear(
        ours.down,
        part["output.dense.weight"][:, neurons],
        part["output.dense.bias"] * share_of_bias,
    )


def _copy_linear(linear: nn.Linear, weight: Tensor, bias: Tensor) -> None:
    linear.weight.copy_(weight)
    linear.bias.copy_(bias)

"""The engines of rival guardrails, built from configurations with random weights, as ONNX files.

What they would answer does not matter here, only how long it takes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from transformers import PretrainedConfig

MINILM, XSMALL, BASE = "MiniLM-L6 INT8", "DeBERTa-v3-xsmall INT8", "DeBERTa-v3-base FP32"
_OPSET = 17
_VOCABULARY = {MINILM: 30_522, XSMALL: 128_100, BASE: 128_100}


def session(name: str, cache: Path) -> InferenceSession:
    """Open a rival with one thread, building its file in `cache` when it is not there."""
    import onnxruntime

    path = cache / (name.replace(" ", "-") + ".onnx")
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _build(name, path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def call(name: str, rival: InferenceSession, tokens: int) -> Callable[[], object]:
    """One bare inference on random ids of a length; no tokenizer, no pre- or post-processing."""
    ids = np.random.default_rng(tokens).integers(5, _VOCABULARY[name], (1, tokens))
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    return lambda: rival.run(None, inputs)


def _build(name: str, path: Path) -> None:
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(0)
    model = AutoModelForSequenceClassification.from_config(
        _configuration(name), attn_implementation="eager"
    ).eval()
    raw = path.with_suffix(".fp32.onnx")
    example = torch.ones(1, 16, dtype=torch.long)
    axes = {0: "batch", 1: "tokens"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns about shapes that are constant here
        torch.onnx.export(
            model,
            (example, example),
            raw,
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes},
            opset_version=_OPSET,
            dynamo=False,
        )
    if name.endswith("INT8"):
        quantize_dynamic(raw, path, weight_type=QuantType.QInt8)
        raw.unlink()
    else:
        raw.rename(path)


def _configuration(name: str) -> PretrainedConfig:
    from transformers import BertConfig, DebertaV2Config

    if name == MINILM:
        return BertConfig(
            vocab_size=_VOCABULARY[name],
            hidden_size=384,
            num_hidden_layers=6,
            num_attention_heads=12,
            intermediate_size=1536,
            return_dict=False,
        )
    width = {XSMALL: (384, 6, 1536), BASE: (768, 12, 3072)}[name]
    return DebertaV2Config(
        vocab_size=_VOCABULARY[name],
        hidden_size=width[0],
        num_hidden_layers=12,
        num_attention_heads=width[1],
        intermediate_size=width[2],
        relative_attention=True,
        position_buckets=256,
        max_relative_positions=-1,
        pos_att_type=["p2c", "c2p"],
        share_att_key=True,
        norm_rel_ebd="layer_norm",
        position_biased_input=False,
        type_vocab_size=0,
        return_dict=False,
    )

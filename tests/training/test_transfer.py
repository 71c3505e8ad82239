"""Transfer keeps the function of the pretrained encoder."""

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel

from tinyguardrail_sdk.errors import InputError
from tinyguardrail_sdk.manifest import DEFAULT_CHECKPOINT
from tinyguardrail_sdk.training import transfer
from tinyguardrail_sdk.training.network.config import NetworkConfig
from tinyguardrail_sdk.training.network.layers import FeedForward
from tinyguardrail_sdk.training.network.model import TinyGuardrail
from tinyguardrail_sdk.training.vocabulary import extend, load_vocabulary

pytestmark = pytest.mark.train

CONFIG = NetworkConfig(
    vocab_size=60, hidden=32, heads=4, max_positions=32, fast_ffn=48, expert_ffn=32
)


def encoder() -> BertModel:
    """Six small layers with random weights."""
    config = BertConfig(
        vocab_size=50,
        hidden_size=32,
        num_hidden_layers=6,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=32,
        hidden_act="gelu_new",
    )
    return BertModel(config).eval()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A made-up six-layer encoder in a folder, under the names that transformers uses."""
    torch.manual_seed(5)
    model = encoder()
    save_file(
        {k: v.contiguous() for k, v in model.state_dict().items()}, tmp_path / "model.safetensors"
    )
    model.config.save_pretrained(tmp_path)
    return tmp_path


# The library reads where its cache is when it is imported.
FROM_HUB = """
import sys
import torch
from tinyguardrail_sdk.training.bases import find_base
from tinyguardrail_sdk.training.transfer import load_base

find_base("someone/small")
found, same = load_base("someone/small"), load_base(sys.argv[1])
assert found.heads == same.heads
assert found.state.keys() == same.state.keys()
assert all(torch.equal(found.state[name], weights) for name, weights in same.state.items())
"""


def test_a_base_of_the_hub_is_found_in_its_cache_without_a_network(base: Path) -> None:
    model = base / "hub" / "models--someone--small"
    snapshot = model / "snapshots" / ("0" * 40)
    torch.manual_seed(5)
    encoder().save_pretrained(snapshot)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(snapshot.name, encoding="utf-8")
    places = {"HF_HUB_CACHE": str(base / "hub"), "HF_HUB_OFFLINE": "1"}
    root = Path(transfer.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", FROM_HUB, base],
        env={**os.environ, **places, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def embed(network: TinyGuardrail, ids: torch.Tensor) -> torch.Tensor:
    rows, tokens = ids.shape
    embedded: torch.Tensor = network.embeddings(
        ids, torch.ones(rows, tokens, 7, dtype=torch.long), torch.zeros(rows, 6),
        torch.zeros(rows, dtype=torch.long),
    )  # fmt: skip
    return embedded


def test_first_layers_compute_what_the_base_does(base: Path) -> None:
    network = TinyGuardrail(CONFIG).eval()
    report = transfer.initialise(network, str(base))
    assert 0.5 * report.total < report.copied <= report.total

    reference = encoder()
    reference.load_state_dict(transfer.load_base(str(base)).state)
    ids = torch.randint(1, 50, (3, 9))
    mask = torch.ones(3, 9, dtype=torch.bool)
    with torch.no_grad():
        expected = reference(ids, attention_mask=mask.long(), output_hidden_states=True)
        hidden = embed(network, ids)
        torch.testing.assert_close(hidden, expected.hidden_states[0])
        for layer in range(4):  # the deep branch begins with the base's layers 0 to 3
            hidden = network.deep.layers[layer](hidden, mask)
        torch.testing.assert_close(hidden, expected.hidden_states[4], atol=1e-5, rtol=1e-4)


def test_pruned_neurons_are_the_strongest(base: Path) -> None:
    network = TinyGuardrail(CONFIG)
    transfer.initialise(network, str(base))
    state = transfer.load_base(str(base)).state
    up = state["encoder.layer.0.intermediate.dense.weight"]
    down = state["encoder.layer.0.output.dense.weight"]
    strength = up.norm(dim=1) * down.norm(dim=0)
    kept = network.fast.encoder_layers()[0].feed_forward
    assert isinstance(kept, FeedForward)
    ours = kept.up.weight.norm(dim=1) * kept.down.weight.norm(dim=0)
    torch.testing.assert_close(ours.sort().values, strength.topk(48).values.sort().values)


def test_kept_heads_are_those_that_write_most(base: Path) -> None:
    state = transfer.load_base(str(base)).state
    louder = "encoder.layer.3.attention.self.value.weight"
    state[louder][8:16] *= 3.0  # head 1 reads more,
    state["encoder.layer.3.attention.output.dense.weight"][:, 24:] *= 3.0  # head 3 writes more
    save_file(state, base / "model.safetensors")
    network = TinyGuardrail(replace(CONFIG, heads=2, head_width=8))
    report = transfer.initialise(network, str(base))
    assert report.heads[3] == [1, 3]
    assert "; 3: 1 3; " in str(report)
    rows = [*range(8, 16), *range(24, 32)]
    for layer in (network.fast.encoder_layers()[2], network.deep.encoder_layers()[4]):
        value = layer.attention.key_value.weight[16:]
        torch.testing.assert_close(value, state[louder][rows])


def test_a_head_that_writes_a_constant_is_left_out_without_a_trace(base: Path) -> None:
    state = transfer.load_base(str(base)).state
    for number in range(6):
        for role in ("query", "key", "value"):
            state[f"encoder.layer.{number}.attention.self.{role}.bias"].normal_()
        state[f"encoder.layer.{number}.attention.self.value.weight"][16:24] = 0.0  # head 2
    save_file(state, base / "model.safetensors")
    whole = TinyGuardrail(CONFIG).eval()
    fewer = TinyGuardrail(replace(CONFIG, heads=3, head_width=8)).eval()
    assert fewer.parameter_count() < whole.parameter_count()
    answers = []
    for network in (whole, fewer):
        report = transfer.initialise(network, str(base))
        torch.manual_seed(6)
        hidden, mask = torch.randn(3, 9, 32), torch.ones(3, 9, dtype=torch.bool)
        with torch.no_grad():
            for layer in network.fast.layers:
                hidden = layer(hidden, mask)
        answers.append(hidden)
    assert report.heads == dict.fromkeys(range(6), [0, 1, 3])
    torch.testing.assert_close(*answers, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        ({"hidden": 64}, r"hidden size 32, the network 64; set network\.hidden=32"),
        ({"heads": 8}, r"network\.heads=8; set network\.heads=4 or less"),
        ({"heads": 2}, r"network\.head_width=0; set network\.head_width=8"),
        ({"vocab_size": 40}, r"network\.vocab_size=40; set network\.vocab_size=50 or more"),
        ({"fast_layers": 3}, r"network\.fast_layers=3; set network\.fast_layers=4"),
        ({"deep_layers": 3}, r"network\.deep_layers=3; set network\.deep_layers=8"),
        ({"fast_ffn": 80}, r"network\.fast_ffn=80; set network\.fast_ffn=64 or less"),
        ({"expert_ffn": 48}, r"network\.expert_ffn=48; set network\.expert_ffn=32"),
    ],
)
def test_a_base_that_does_not_fit_is_refused(base: Path, change: dict[str, int], fix: str) -> None:
    network = TinyGuardrail(replace(CONFIG, **change))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=fix):
        transfer.initialise(network, str(base))


def test_what_is_no_base_is_refused(tmp_path: Path) -> None:
    network = TinyGuardrail(CONFIG)
    (tmp_path / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="damaged"):
        transfer.initialise(network, str(tmp_path))
    save_file({"weight": torch.zeros(3)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match=r"config\.json .* num_attention_heads, .*; get it from"):
        transfer.initialise(network, str(tmp_path))
    (tmp_path / "config.json").write_text('{"num_attention_heads": 4}', encoding="utf-8")
    with pytest.raises(InputError, match="no BERT-shaped encoder"):
        transfer.initialise(network, str(tmp_path))


def test_extended_vocabulary_keeps_ids_and_adds_missing_characters() -> None:
    base = ["[PAD]", "[UNK]", "hello", "的", "##क"]
    extended = extend(base)
    assert extended[: len(base)] == base
    assert len(set(extended)) == len(extended)
    assert {"忽", "略", "अ", "क", "##अ"} <= set(extended)
    assert not any("\ufffd" in piece for piece in extended)


def test_the_shipped_vocabulary_is_the_bases_extended() -> None:
    shipped = load_vocabulary(str(DEFAULT_CHECKPOINT / "vocab.txt"))
    assert extend(shipped[:30_522]) == shipped


def test_a_vocabulary_is_read_from_what_a_base_ships(tmp_path: Path) -> None:
    ids = {"b": 2, "[UNK]": 1, "[PAD]": 0}
    tokenizer = json.dumps({"model": {"vocab": ids}})
    (tmp_path / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "base.zip", "w") as bundle:
        bundle.writestr("tokenizer.json", tokenizer)
    for base in (tmp_path, tmp_path / "base.zip"):
        assert load_vocabulary(str(base)) == ["[PAD]", "[UNK]", "b"]
    with pytest.raises(InputError, match=r"give a vocab\.txt"):
        load_vocabulary("no_such_package")

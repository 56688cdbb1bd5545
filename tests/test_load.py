"""Pretrained models by name: the right weights, a fresh model each time, and never a hang."""

import errno
import logging
import os
import socket
import time
from dataclasses import replace

import pytest

from coldrec import assets
from coldrec._fetch import sha256
from coldrec.language import load

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.filterwarnings("error")

QWEN = "Qwen/Qwen3-0.6B"


@pytest.fixture(autouse=True)
def quiet(capsys):
    """Nothing may be logged at WARNING or written to standard error."""
    heard = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: heard.append(record.getMessage())
    loggers = [logging.getLogger(name) for name in ("transformers", "huggingface_hub")]
    for logger in loggers:
        logger.addHandler(handler)
    yield
    for logger in loggers:
        logger.removeHandler(handler)
    assert heard == [] and capsys.readouterr().err == ""


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty cache of the hub, and a hub that refuses every connection."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "hub"


@pytest.mark.parametrize("function", [load.causal, load.encoder, load.classifier])
def test_an_unknown_name_is_answered_with_the_known_ones(function):
    with pytest.raises(ValueError, match="no model is called 'bert'; there are: minilm, smollm2"):
        function("bert")


def test_an_encoder_is_no_causal_model():
    with pytest.raises(ValueError, match="'minilm' is all-MiniLM.*Choose one of smollm2"):
        load.causal("minilm")


@pytest.mark.parametrize(("settings", "error", "words"), [
    ({"labels": 0}, ValueError, "labels is 0; it must be a whole number from 1 on"),
    ({"labels": 2.0}, TypeError, "labels is 2.0, a float"),
    ({"seed": -1}, ValueError, "seed is -1"),
])
def test_a_wrong_head_is_refused(settings, error, words):
    with pytest.raises(error, match=words):
        load.classifier("minilm", **settings)


def test_every_hub_model_is_pinned():
    pinned = {name: model for name, model in load.MODELS.items() if name not in assets.REGISTRY}
    assert len(pinned) == 3
    for model in pinned.values():
        assert len(bytes.fromhex(model.revision)) == 20
        assert len(bytes.fromhex(model.sha256)) == 32


def test_the_head_comes_from_its_seed_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    heads = [load.classifier(labels=3, seed=seed)[1].classifier.weight for seed in (0, 0, 1)]
    assert torch.rand(1) == expected  # the caller's generator goes on where it was
    assert heads[0].shape == (3, 384)
    assert torch.equal(heads[0], heads[1]) and not torch.equal(heads[0], heads[2])


def test_the_classifier_has_the_encoders_weights_and_one_label_is_a_regression():
    tokenizer, model = load.classifier(labels=1)
    encoder = load.encoder()[1].state_dict()
    assert not model.training and tokenizer.padding_side == "right"
    for name, value in model.bert.state_dict().items():
        assert value.dtype == torch.float32 and torch.equal(value, encoder[name]), name
    stars = torch.tensor([[3.0], [5.0]])
    out = model(**tokenizer(["Alien", "Heat (1995)"], padding=True, return_tensors="pt"),
                labels=stars)
    assert torch.isclose(out.loss, ((out.logits - stars) ** 2).mean())


# From public tests against the hub's own tokenizer.
@pytest.mark.parametrize(("text", "ids"), [
    ("The capital of France is", [504, 3575, 282, 4649, 314]),
    ("Once upon a time", [6403, 1980, 253, 655]),
    ("def add(a, b): return", [1604, 803, 24, 81, 28, 278, 727, 1003]),
])
def test_smollm2_reads_as_the_original_does(text, ids):
    assert load.causal()[0](text)["input_ids"] == ids


def test_smollm2s_tokenizer_loses_nothing():
    tokenizer, model = load.causal()
    for text in ("Hello  world\n\n tab\t é 中文 🎬", "Amélie (2001): it's 12345", " <|im_end|>\n"):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    chat = tokenizer.apply_chat_template([{"role": "user", "content": "Hello"}],
                                         add_generation_prompt=True)["input_ids"]
    assert chat == [1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28,
                    7018, 411, 407, 19712, 8182, 2, 198, 1, 4093, 198, 19556, 2, 198, 1, 520, 9531,
                    198]
    assert tokenizer.pad_token_id not in (None, tokenizer.eos_token_id)
    assert tokenizer.pad_token_id == model.config.pad_token_id
    assert tokenizer.pad_token_id == model.generation_config.pad_token_id
    assert tokenizer.model_max_length == model.config.max_position_embeddings == 8192


def test_smollm2_speaks_sense_in_a_batch_too():
    tokenizer, model = load.causal()
    tokenizer.padding_side = "left"
    texts = ["The capital of France is", "My dear friend, water is made of hydrogen and"]
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    made = model.generate(**batch, max_new_tokens=2, do_sample=False)
    said = tokenizer.batch_decode(made, skip_special_tokens=True)
    assert [text.split()[-1] for text in said] == ["Paris.", "oxygen."]


def test_a_trained_model_leaves_the_next_one_alone():
    """The weights are a map of the file: training must change neither the file nor other models."""
    model = load.causal()[1]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        for value in model.parameters():
            value += 1
    again = load.causal()[1]
    assert all(torch.equal(value, before[name]) for name, value in again.state_dict().items())


def test_smollm2_is_a_plain_model_that_a_trainer_takes(tmp_path):
    """What transformers makes of a GGUF file says that it is quantised, and can't be trained."""
    model = load.causal(dtype=torch.bfloat16)[1]
    assert {value.dtype for value in model.parameters()} == {torch.bfloat16}
    assert not hasattr(model.config, "quantization_config")
    arguments = transformers.TrainingArguments(str(tmp_path), report_to="none", use_cpu=True)
    transformers.Trainer(model=model, args=arguments)
    model.config.save_pretrained(tmp_path)


def test_a_causal_model_classifies_by_the_last_token_that_isnt_padding():
    tokenizer, model = load.classifier("smollm2", 3)
    texts = ["A war film.", "A long film about the war between two old and proud families."]
    with torch.inference_mode():
        together = model(**tokenizer(texts, padding=True, return_tensors="pt")).logits
        alone = model(**tokenizer(texts[:1], return_tensors="pt")).logits
    assert torch.allclose(together[:1], alone, atol=1e-4)


@pytest.mark.slow
def test_the_plain_weights_are_the_gguf_files_own(tmp_path, monkeypatch, capsys):
    gguf = pytest.importorskip("gguf")
    (file,) = assets.REGISTRY["smollm2"].sources[0].files
    source = assets.fetch("smollm2")
    load._dequantise(source, file, tmp_path / "plain")
    assert "writing out" in capsys.readouterr().out
    monkeypatch.setattr(load, "_folder", lambda name: tmp_path / "plain")
    state = load.causal()[1].state_dict()
    for tensor in gguf.GGUFReader(source / file).tensors:
        values = torch.tensor(gguf.quants.dequantize(tensor.data, tensor.tensor_type))
        layer, _, part = tensor.name.removeprefix("blk.").partition(".")
        if part in ("ffn_up.weight", "ffn_norm.weight", "attn_v.weight"):
            name = {"ffn_up": "mlp.up_proj", "ffn_norm": "post_attention_layernorm",
                    "attn_v": "self_attn.v_proj"}[part.removesuffix(".weight")]
            assert torch.equal(values, state[f"model.layers.{layer}.{name}.weight"]), tensor.name
        elif part == "attn_q.weight":  # the file holds the rotary halves of a head interleaved
            values = values.view(9, 32, 2, 576).transpose(1, 2).reshape(576, 576)
            assert torch.equal(values, state[f"model.layers.{layer}.self_attn.q_proj.weight"])


def test_a_full_disk_is_an_error_that_says_so(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setenv("COLDREC_HOME", str(tmp_path))
    monkeypatch.setattr(assets, "fetch", lambda name: tmp_path / name)
    monkeypatch.setattr(load, "_dequantise", full)
    with pytest.raises(assets.AssetError, match="(?s)No space left.*needs 540 MB.*COLDREC_HOME"):
        load.causal()
    assert [path.name for path in (tmp_path / "dequantised").iterdir()] == [".smollm2.lock"]


def test_without_the_network_a_hub_model_is_an_error_with_advice(hub, monkeypatch):
    monkeypatch.setenv("COLDREC_OFFLINE", "1")
    words = "(?s)COLDREC_OFFLINE forbids.*unset COLDREC_OFFLINE.*hf download Qwen/Qwen3-0.6B"
    with pytest.raises(assets.AssetError, match=words):
        load.causal(QWEN)


def test_a_hub_out_of_reach_is_an_error_at_once(hub):
    start = time.monotonic()
    with pytest.raises(assets.AssetError, match="(?s)ConnectError.*connect to the network.*mirror"):
        load.causal(QWEN)
    assert time.monotonic() - start < 5


def test_a_hub_that_never_answers_is_given_up(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(load, "WAIT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(assets.AssetError, match="(?s)Timeout.*needs no hub: minilm, smollm2"):
            load.classifier(QWEN)
        assert time.monotonic() - start < 5


@pytest.fixture
def snapshot(hub, monkeypatch):
    """A tiny model where the hub's client keeps Qwen3-0.6B."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = hub / "models--Qwen--Qwen3-0.6B" / "snapshots" / load.MODELS[QWEN].revision
    words = Tokenizer(models.WordLevel({"<|endoftext|>": 0, "<|im_end|>": 1, "film": 2},
                                       unk_token="<|endoftext|>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token="<|im_end|>", unk_token="<|endoftext|>",
    ).save_pretrained(folder)
    config = transformers.Qwen3Config(vocab_size=3, hidden_size=8, intermediate_size=8,
                                      num_hidden_layers=1, num_attention_heads=1, head_dim=8,
                                      num_key_value_heads=1, dtype="bfloat16")
    logging.disable(logging.WARNING)
    transformers.Qwen3ForCausalLM(config).bfloat16().save_pretrained(folder)
    logging.disable(logging.NOTSET)
    known = replace(load.MODELS[QWEN], sha256=sha256(folder / load.WEIGHTS))
    monkeypatch.setitem(load.MODELS, QWEN, known)
    return folder


def test_what_is_in_the_hubs_cache_needs_no_network(snapshot, monkeypatch, capsys):
    def refuse(*_, **__):
        raise AssertionError("the network was used")

    capsys.readouterr()  # the progress bar of saving it
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("COLDREC_OFFLINE", "1")
    tokenizer, model = load.causal(QWEN)
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    assert tokenizer.pad_token_id == model.config.pad_token_id == 0
    tokenizer, model = load.classifier(QWEN, labels=4)
    assert model(**tokenizer(["film", "film film"], padding=True, return_tensors="pt")
                 ).logits.shape == (2, 4)


def test_weights_that_were_tampered_with_are_refused(snapshot, capsys):
    capsys.readouterr()
    with (snapshot / load.WEIGHTS).open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x77")
    with pytest.raises(assets.AssetError, match="not the file that it should be.*Remove"):
        load.causal(QWEN)


def test_weights_that_lack_a_part_are_refused(snapshot, monkeypatch, capsys):
    from safetensors.torch import load_file, save_file

    capsys.readouterr()
    state = load_file(snapshot / load.WEIGHTS)
    del state["model.norm.weight"]
    save_file(state, snapshot / load.WEIGHTS, {"format": "pt"})
    known = replace(load.MODELS[QWEN], sha256=sha256(snapshot / load.WEIGHTS))
    monkeypatch.setitem(load.MODELS, QWEN, known)
    for function in (load.causal, load.encoder, load.classifier):
        with pytest.raises(assets.AssetError, match="lack .*norm.weight"):
            function(QWEN)

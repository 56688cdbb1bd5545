"""The memory of an update: exact where it can be, and close to what is measured."""

import logging
import warnings

import pytest

from coldrec.language import load
from coldrec.language.memory import estimate, peak

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.filterwarnings("error")

SIZES = {"vocab_size": 500, "hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4}
CLOSE = 0.06  # of the measured peak


@pytest.fixture(autouse=True)
def one_thread_and_no_advice():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)
    torch.set_num_threads(threads)


def llama(**changes):
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**SIZES | {
        "intermediate_size": 160, "num_key_value_heads": 2, "max_position_embeddings": 256,
        "tie_word_embeddings": True} | changes))


def qwen3():
    return transformers.Qwen3ForCausalLM(transformers.Qwen3Config(
        **SIZES, intermediate_size=160, num_key_value_heads=2, head_dim=32))


def gpt2():
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=500, n_positions=128, n_embd=64, n_layer=4, n_head=4))


def bert(**changes):
    return transformers.BertForSequenceClassification(transformers.BertConfig(
        **SIZES, intermediate_size=256, **changes))


def lora(model, **settings):
    peft = pytest.importorskip("peft")
    with warnings.catch_warnings():  # peft 0.21 asks transformers 5.23 by an old name
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        return peft.get_peft_model(model, peft.LoraConfig(r=4, **settings))


def updating(model, batch, length, *, precision="fp32", accumulate=1):
    """Return an optimiser, and an update of a model on padded nonsense, as training does it."""
    model.train()
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], fused=True)
    words = torch.randint(3, model.config.vocab_size, (batch, length))
    mask = torch.ones_like(words)
    mask[1:, length // 2:] = 0
    labels = words if model.get_output_embeddings() else torch.zeros(batch, dtype=torch.long)

    def step():
        for _ in range(accumulate):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
                loss = model(input_ids=words, attention_mask=mask, labels=labels).loss
            loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    return optimiser, step


def compare(model, batch, length, checkpointing=False, **settings):
    """Return what is foreseen and what is measured."""
    optimiser, step = updating(model, batch, length, **settings)
    if checkpointing:
        new = hasattr(model, "activation_checkpointing_enable")  # transformers before 5.2x
        name = "activation_checkpointing" if new else "gradient_checkpointing"
        getattr(model, f"{name}_enable")({"use_reentrant": False})
    measured = peak(step, model, optimiser)
    foreseen = estimate(model, batch, length, checkpointing=checkpointing, **settings)
    return foreseen, measured


@pytest.mark.parametrize("model", [llama, bert, lambda: llama(tie_word_embeddings=False)])
def test_weights_gradients_and_states_are_exact(model):
    model = model()
    model.get_input_embeddings().requires_grad_(False)
    optimiser, _ = updating(model, 2, 8)
    for value in model.parameters():
        value.grad = torch.zeros_like(value) if value.requires_grad else None
    optimiser.step()
    foreseen = estimate(model, 2, 8)
    states = [v for state in optimiser.state.values() for v in state.values()]
    assert foreseen["weights"] == sum(
        v.nbytes for v in (*model.parameters(), *model.buffers())) / 1e6
    assert foreseen["gradients"] == sum(
        p.grad.nbytes for p in model.parameters() if p.grad is not None) / 1e6
    assert foreseen["optimiser"] == sum(v.nbytes for v in states) / 1e6
    assert estimate(model, 2, 8, optimiser="sgd")["optimiser"] == 0


def test_bert_in_16_bits_keeps_what_korthikanti_et_al_find():
    """34 bytes per token and number of width, where a mask takes one byte as on a GPU."""
    from coldrec.language import memory

    with torch.device("meta"):
        model = bert()
    blocks, kind = memory._blocks(model, 1)
    pairs_by_a_kernel = 4 * 4 + 2 * 1  # its sums, and the mask of padding
    assert memory._kept(blocks[0], kind, model.config, 1, 2, 2) == 34 * 64 + pairs_by_a_kernel


@pytest.mark.parametrize(("batch", "length"), [(1, 8), (8, 64), (16, 64), (4, 256)])
@pytest.mark.parametrize("words", [500, 3000])
def test_a_causal_model(batch, length, words):
    foreseen, measured = compare(llama(vocab_size=words), batch, length)
    assert foreseen["total"] == pytest.approx(measured["total"], rel=0.01)


@pytest.mark.parametrize(("batch", "length"), [(16, 64), (32, 16)])
def test_minilm(batch, length):
    foreseen, measured = compare(load.classifier()[1], batch, length)
    assert foreseen["total"] == pytest.approx(measured["total"], rel=0.01)


@pytest.mark.parametrize("settings", [{"precision": "bf16"}, {"checkpointing": True},
                                      {"accumulate": 2}], ids=str)
@pytest.mark.parametrize("model", [llama, bert, qwen3, gpt2])
def test_what_takes_more_or_less(model, settings):
    plain = estimate(model(), 8, 64)
    foreseen, measured = compare(model(), 8, 64, **settings)
    assert foreseen["total"] == pytest.approx(measured["total"], rel=CLOSE)
    assert (foreseen["total"] > plain["total"]) == ("accumulate" in settings)


def test_checkpointing_lowers_what_is_foreseen_and_what_is_measured():
    deep = {"num_hidden_layers": 12, "vocab_size": 60}
    plain, less = (compare(llama(**deep), 16, 64, checkpointing=on) for on in (False, True))
    for before, after in zip(plain, less, strict=True):
        assert after["total"] < 0.3 * before["total"]
    assert less[0]["total"] == pytest.approx(less[1]["total"], rel=CLOSE)


def test_the_first_block_can_be_the_peak():
    """When it is computed again, all other gradients are there."""
    model = llama(vocab_size=60, tie_word_embeddings=False)
    foreseen, measured = compare(model, 4, 32, checkpointing=True)
    assert foreseen["total"] == pytest.approx(measured["total"], rel=CLOSE)


def test_the_word_vectors_gradients_can_be_the_peak():
    """Then checkpointing doesn't help: with tied embeddings there are three at a time."""
    foreseen, measured = compare(llama(vocab_size=20_000), 1, 16)
    assert foreseen["total"] == pytest.approx(measured["total"], rel=0.01)
    assert estimate(llama(vocab_size=20_000), 1, 16, checkpointing=True
                    )["total"] == foreseen["total"]


def test_a_second_part_needs_room_for_another_gradient_of_the_head():
    model = llama(vocab_size=3000, tie_word_embeddings=False)
    foreseen, measured = compare(model, 1, 24, accumulate=2)
    assert foreseen["total"] == pytest.approx(measured["total"], rel=0.01)


def freeze_all_but_the_head(model):
    model.base_model.requires_grad_(False)
    return model


def freeze_all_but_the_last_block(model):
    freeze_all_but_the_head(model).bert.encoder.layer[-1].requires_grad_(True)
    return model


@pytest.mark.parametrize("model", [
    lambda: freeze_all_but_the_head(bert()),
    lambda: freeze_all_but_the_last_block(bert()),
    lambda: lora(llama(), target_modules=["q_proj", "v_proj"]),
    lambda: lora(llama(), target_modules="all-linear", lora_dropout=0.1),
    lambda: lora(bert(), target_modules=["query", "value"], task_type="SEQ_CLS"),
], ids=["head", "last block", "lora", "lora everywhere, dropout", "lora in bert"])
def test_frozen_weights_take_less(model):
    foreseen, measured = compare(model(), 8, 64)
    assert foreseen["total"] == pytest.approx(measured["total"], rel=CLOSE)
    everything = estimate(model().requires_grad_(True), 8, 64)
    assert foreseen["activations"] < everything["activations"]


def test_linear_layers_read_copies_of_half_size():
    foreseen, measured = compare(lora(llama(), target_modules=["q_proj"]), 1, 8, precision="bf16")
    assert foreseen["total"] == pytest.approx(measured["total"], rel=CLOSE)


@pytest.mark.parametrize("changes", [
    {"attn_implementation": "eager"},
    {"attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0}], ids=str)
def test_attention_of_every_kind(changes):
    foreseen, measured = compare(bert(**changes), 4, 128)
    assert foreseen["total"] == pytest.approx(measured["total"], rel=CLOSE)


def test_a_peak_is_to_the_byte_whatever_was_there_before(capfd):
    layer = torch.nn.Linear(1000, 100, bias=False)
    layer.weight.grad = torch.zeros_like(layer.weight)
    kept = []

    def step():
        kept.clear()
        layer.zero_grad()
        one = torch.ones(1000, 1000)
        two = one[:500] + 1
        del one
        kept.append(two + 1)
        del two
        layer.weight.grad = torch.zeros_like(layer.weight)

    measured = peak(step, layer)
    # The second time, 0.4 and 2 MB of the first are given up before 4 + 2 are made.
    assert measured.to_dict() == pytest.approx(
        {"before": 0.8, "added": 6.0 - 2.0 - 0.4, "total": 4.4}, abs=1e-4)
    assert capfd.readouterr().err == ""
    assert not torch.autograd.profiler._is_profiler_enabled


def test_a_peak_is_the_same_again_and_with_two_threads():
    model = llama()
    optimiser, step = updating(model, 1, 8)
    once = peak(step, model, optimiser)
    torch.set_num_threads(2)
    assert peak(step, model, optimiser).equals(once)


def test_an_error_in_a_step_is_passed_on_and_the_profiler_stopped():
    model = torch.nn.Linear(2, 2)
    with pytest.raises(ZeroDivisionError):
        peak(lambda: 1 / 0, model)
    assert peak(lambda: torch.ones(250_000), model)["added"] == 1


@pytest.mark.parametrize(("settings", "error", "words"), [
    ({"batch": 0}, ValueError, "batch is 0; it must be a whole number from 1 on"),
    ({"length": 6.5}, TypeError, "length is 6.5, a float"),
    ({"length": 257}, ValueError, "length is 257; this model reads at most 256 tokens"),
    ({"accumulate": 0}, ValueError, "accumulate is 0"),
    ({"optimiser": "adam"}, ValueError, r"optimiser is 'adam'; it may be one of \('adamw', 'sgd'"),
    ({"precision": "int8"}, ValueError, "precision is 'int8'; it may be one of .'fp32', 'fp16'"),
    ({"model": lambda: torch.nn.Linear(2, 2)}, ValueError, "Linear; it must have blocks like BERT"),
    ({"model": lambda: llama().requires_grad_(False)}, ValueError, "no weight that is trained"),
])
def test_what_makes_no_sense_is_refused(settings, error, words):
    settings = {"model": llama, "batch": 2, "length": 8} | settings
    with pytest.raises(error, match=words):
        estimate(settings.pop("model")(), **settings)


def test_a_peak_on_another_device_is_refused():
    with pytest.raises(ValueError, match="the model is on meta; peaks are measured on cpu and"):
        peak(lambda: None, torch.nn.Linear(2, 2, device="meta"))

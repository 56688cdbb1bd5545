"""One training function: the same weights whatever the parts, the processes and the breaks."""

import functools
import gc
import logging
import math
import os
import re
import socket
import subprocess
import sys
import textwrap
import warnings
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from coldrec import runtime
from coldrec.language.training import best_precision, train
from coldrec.language.training._trainer import make_trainer
from coldrec.language.triples import GraphGPT
from tools import pretrain

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
peft = pytest.importorskip("peft")
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:Could not find a config file in  -")  # peft before 0.21, of a nameless model

ROOT = Path(__file__).parents[1]
WORDS = 24


@pytest.fixture(autouse=True)
def warned():
    """What the libraries' loggers say at WARNING; a test that expects something clears it."""
    heard = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: heard.append(record.getMessage())
    loggers = [logging.getLogger(name) for name in ("transformers", "accelerate", "peft")]
    transformers.utils.logging.warning_once.cache_clear()
    for logger in loggers:
        logger.addHandler(handler)
    yield heard
    for logger in loggers:
        logger.removeHandler(handler)
    assert heard == []


@pytest.fixture(scope="module", autouse=True)
def quick_collection():
    """The Trainer collects garbage at each start: let it not look through all that is imported."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def on_a_cpu(monkeypatch):
    monkeypatch.setattr(runtime, "device", lambda: "cpu")


def gpt(dropout=0.0):
    torch.manual_seed(0)
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=WORDS, n_positions=12, n_embd=16, n_layer=1, n_head=2, embd_pdrop=dropout,
        resid_pdrop=dropout, attn_pdrop=dropout, bos_token_id=0, eos_token_id=0))


def llama(kind=transformers.LlamaForCausalLM, **settings):
    torch.manual_seed(0)
    return kind(transformers.LlamaConfig(
        vocab_size=WORDS, hidden_size=16, intermediate_size=24, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=12, pad_token_id=0, **settings))


def bert(kind=transformers.BertForSequenceClassification, **settings):
    torch.manual_seed(0)
    return kind(transformers.BertConfig(
        vocab_size=WORDS, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=24, max_position_embeddings=12, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0, **settings))


def lora(model, targets, task=None, **settings):
    torch.manual_seed(0)
    with warnings.catch_warnings():  # peft 0.21 asks transformers 5.23 by an old name
        warnings.simplefilter("ignore", FutureWarning)
        return peft.get_peft_model(model, peft.LoraConfig(
            r=2, target_modules=targets, task_type=task, init_lora_weights=False,
            fan_in_fan_out=targets == ["c_attn"]), **settings)


def sentences(n=40):
    rng = np.random.default_rng(0)
    return [rng.integers(1, WORDS, rng.integers(2, 10)).tolist() for _ in range(n)]


def pad(rows):
    longest = max(map(len, rows))
    words = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    labels = words.masked_fill(words == 0, -100)
    labels[:, 0] = -100  # never predicted; transformers before 5.2x would count it
    return {"input_ids": words, "attention_mask": (words > 0).long(), "labels": labels}


def rated(n=40, label=lambda row: row[0] % 2):
    return [{"input_ids": (row * 5)[:6], "labels": label(row)} for row in sentences(n)]


learn = functools.partial(train, batch=8, steps=6, learning_rate=1e-2, progress=False)
read = functools.partial(learn, examples=sentences(), collate=pad)


def weights(model):
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def assert_same(model, other, atol=0.0):
    ours, theirs = (m if isinstance(m, dict) else weights(m) for m in (model, other))
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        torch.testing.assert_close(value, theirs[name], rtol=0, atol=atol, msg=lambda m, n=name:
                                   f"{n}: {m}")


def differs(model, other):
    ours, theirs = (m if isinstance(m, dict) else weights(m) for m in (model, other))
    return any(not torch.equal(value, theirs[name]) for name, value in ours.items())


class At(transformers.TrainerCallback):
    """Do something after some updates, before what is saved there; note which there were."""

    def __init__(self, what=None):
        self.what, self.seen = what or {}, []

    def on_step_end(self, args, state, control, **kwargs):
        self.seen.append(state.global_step)
        self.what.get(state.global_step, list)()


class Logs(transformers.TrainerCallback):
    def __init__(self):
        self.all = []

    def on_log(self, args, state, control, logs=None, **kwargs):
        self.all.append(dict(logs))

    def norms(self):
        return [logs["grad_norm"] for logs in self.all if "grad_norm" in logs]


def kill():
    raise KeyboardInterrupt


def test_it_learns():
    model = gpt()
    done = read(model, steps=60)
    assert done.losses.index.tolist() == list(range(1, 61))
    assert done.losses.iloc[-5:].mean() < done.losses.iloc[0] - 0.3
    assert (done.steps, done.micro, done.accumulate, done.precision) == (60, 8, 1, "fp32")
    assert done.judged.empty and done.seconds > 0
    assert done.step_seconds == done.seconds / 60
    assert done.peak_mb is None or torch.cuda.is_available()
    assert not model.training


def test_epochs_are_counted_in_sequences_and_told_in_the_logs():
    seen, logs = [], Logs()

    def collate(rows):
        seen.extend(map(tuple, rows))
        return pad(rows)

    examples = [[n // 20 + 1, n % 20 + 1, 3] for n in range(30)]
    done = learn(gpt(), examples, steps=None, epochs=2, collate=collate, callbacks=[logs])
    assert done.steps == 8  # 60 sequences in eights, rounded
    assert sorted(seen[:30]) == sorted(seen[30:60]) == sorted(map(tuple, examples))
    assert seen[:30] != seen[30:60]
    assert logs.all[0]["epoch"] == 8 / 30
    first = seen[:30]
    seen.clear()
    learn(gpt(), examples, steps=None, collate=collate, seed=1)
    assert seen[:30] != first
    assert learn(gpt(), examples[:3], steps=None, collate=pad).steps == 1  # fewer than a batch


def test_the_seed_alone_decides():
    first, second, other = gpt(0.1), gpt(0.1), gpt(0.1)
    read(first)
    torch.rand(7)
    read(second)
    read(other, seed=1)
    assert_same(first, second)
    assert differs(first, other)
    alike, unlike = gpt(0.1), gpt(0.1)  # in dropout, too, where the order can't matter
    read(alike, examples=[[1, 2, 3]])
    read(unlike, examples=[[1, 2, 3]], seed=1)
    assert differs(alike, unlike)


# Breaks.

@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("killed", [4, 7])  # an epoch has 5 updates
def test_a_killed_training_goes_on_to_the_same_weights(tmp_path, killed, accumulate):
    unbroken, broken = gpt(0.1), gpt(0.1)
    run = functools.partial(read, steps=12, save_every=3, accumulate=accumulate)
    whole = run(unbroken, folder=tmp_path / "unbroken")
    with pytest.raises(KeyboardInterrupt):
        run(broken, folder=tmp_path / "broken", callbacks=[At({killed: kill})])
    fresh, updates = gpt(0.1), At()
    done = run(fresh, folder=tmp_path / "broken", callbacks=[updates])
    assert updates.seen == list(range(killed // 3 * 3 + 1, 13))
    assert done.steps == len(updates.seen)
    assert_same(fresh, unbroken)
    pd.testing.assert_series_equal(done.losses, whole.losses)
    run(broken, folder=tmp_path / "broken2")
    assert differs(broken, unbroken)  # the weights at the break are another start


def test_a_killed_adapter_goes_on_to_the_same_weights(tmp_path):
    models = [lora(gpt(), ["c_attn"]) for _ in range(3)]
    read(models[0], folder=tmp_path / "unbroken", save_every=2)
    with pytest.raises(KeyboardInterrupt):
        read(models[1], folder=tmp_path / "broken", save_every=2, callbacks=[At({5: kill})])
    read(models[2], folder=tmp_path / "broken", save_every=2)
    assert_same(models[2], models[0])
    assert (tmp_path / "broken/checkpoint-6/adapter_model.safetensors").exists()


def test_a_finished_training_called_again_changes_nothing(tmp_path, capfd):
    first, second = gpt(0.1), gpt(0.1)
    done = read(first, folder=tmp_path)
    assert capfd.readouterr() == ("", "")  # no bars for checkpoints
    assert sorted(path.name for path in tmp_path.glob("checkpoint-*")) == ["checkpoint-5",
                                                                           "checkpoint-6"]
    again = read(second, folder=tmp_path)
    assert_same(second, first)
    assert again.steps == 0
    pd.testing.assert_series_equal(again.losses, done.losses)


def test_other_settings_in_the_same_folder_are_refused(tmp_path):
    read(gpt(), folder=tmp_path)
    for other, told in (({"learning_rate": 1e-3}, "learning_rate was 0.01 and is 0.001"),
                        ({"steps": 7}, "updates was 6 and is 7"),
                        ({"seed": 1}, "seed was 0 and is 1"),
                        ({"examples": sentences(41)}, "examples was 40 and is 41")):
        with pytest.raises(ValueError, match=f"holds another training: {told}. Give another"):
            read(gpt(), folder=tmp_path, **other)
    (tmp_path / "training.json").unlink()
    with pytest.raises(ValueError, match="checkpoints of a training whose settings aren't known"):
        read(gpt(), folder=tmp_path)


def cut(path):
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize("damage", [
    lambda checkpoint: (checkpoint / "trainer_state.json").unlink(),
    lambda checkpoint: cut(checkpoint / "trainer_state.json"),
    lambda checkpoint: cut(checkpoint / "model.safetensors"),
    lambda checkpoint: cut(checkpoint / "optimizer.pt"),
    lambda checkpoint: (checkpoint / "model.safetensors").unlink(),
    lambda checkpoint: (checkpoint / "optimizer.pt").unlink()])
def test_a_checkpoint_cut_short_is_not_used(tmp_path, damage):
    unbroken, fresh = gpt(0.1), gpt(0.1)
    read(unbroken, folder=tmp_path, save_every=2)
    damage(tmp_path / "checkpoint-6")
    done = read(fresh, folder=tmp_path, save_every=2)
    assert done.steps == 2  # from checkpoint-4
    assert_same(fresh, unbroken)
    damage(tmp_path / "checkpoint-6")
    damage(tmp_path / "checkpoint-4")
    assert read(fresh, folder=tmp_path, save_every=2).steps == 6


# Parts of a batch.

def two_targets(row):
    return [float(row[0] % 5), float(row[-1] % 3)]


def last_word(outputs, labels, num_items_in_batch=None):
    """A loss with one label a row, as some are for causal models too."""
    total = torch.nn.functional.cross_entropy(outputs["logits"][:, -1], labels, reduction="sum")
    return total / num_items_in_batch


CASES = {
    "GPT-2": (gpt, sentences(), {"collate": pad}),
    "Llama": (llama, sentences(), {"collate": pad}),
    "Llama with LoRA": (lambda: lora(llama(), ["q_proj"], "CAUSAL_LM"), sentences(),
                        {"collate": pad}),
    "classes": (bert, rated(), {}),
    "classes, Llama": (lambda: llama(transformers.LlamaForSequenceClassification), rated(), {}),
    "classes, LoRA": (lambda: lora(bert(), ["query"], "SEQ_CLS"), rated(), {}),
    "one number": (lambda: bert(num_labels=1), rated(label=lambda row: float(row[0] % 5)), {}),
    "two numbers": (lambda: bert(num_labels=2, problem_type="regression"),
                    rated(label=two_targets), {}),
    "two numbers, Llama": (lambda: llama(transformers.LlamaForSequenceClassification,
                                         problem_type="regression"), rated(label=two_targets), {}),
    "own loss": (gpt, rated(), {"loss": last_word}),
    "own loss, Llama": (llama, rated(), {"loss": last_word}),
}


def of_whole_batch(model, examples, collate=transformers.default_data_collator, loss=None):
    """The loss of one batch as its definition has it, before any training."""
    inputs = collate(examples)
    if loss is not None:
        labels = inputs.pop("labels")
        return float(loss(model(**inputs), labels, len(labels)).detach())
    return float(model(**inputs).loss.detach())


@pytest.mark.parametrize("case", CASES)
def test_parts_of_a_batch_give_the_gradient_of_the_whole(case, warned):
    make, examples, settings = CASES[case]
    run = functools.partial(learn, examples=examples, steps=5, **settings)
    whole, logs = make(), Logs()
    expected = of_whole_batch(make().eval(), examples[:8], **settings)
    warned.clear()  # GPT-2 doesn't know its own loss
    done = run(whole, callbacks=[logs])
    first = learn(make(), examples[:8], steps=1, **settings)
    assert first.losses.iloc[0] == pytest.approx(expected, abs=1e-6)
    for accumulate in (2, 4, 8):
        parts, also = make(), Logs()
        told = run(parts, accumulate=accumulate, callbacks=[also])
        assert (told.accumulate, told.micro) == (accumulate, 8 // accumulate)
        np.testing.assert_allclose(told.losses, done.losses, atol=2e-5)
        np.testing.assert_allclose(also.norms(), logs.norms(), atol=1e-4)
        assert_same(parts, whole, atol=2e-4)


# Memory.

class Memory:
    """Runs out of memory above so many sequences at once, from some forward pass on."""

    def __init__(self, model, most, first=1, error="CUDA out of memory. Tried to allocate 2 GiB."):
        self.most, self.first, self.error = most, first, error
        self.sizes, self.held = [], []
        (model if hasattr(model, "lm_head") else model).lm_head.register_forward_hook(self)

    def __call__(self, module, args, output):
        n = len(output)
        if not self.sizes or self.sizes[-1] != n:
            assert all(held() is None for held in self.held), "memory of a failed attempt is held"
            self.sizes.append(n)
        self.first -= 1
        if n > self.most and self.first <= 0:
            self.held += [weakref.ref(output), weakref.ref(args[0])]
            raise RuntimeError(self.error)


def test_smaller_parts_after_running_out_of_memory(capsys):
    hungry, patient = gpt(0.1), gpt(0.1)
    memory = Memory(hungry, most=2)
    done = read(hungry)
    assert memory.sizes == [8, 4, 2]
    assert (done.micro, done.accumulate, done.steps) == (2, 4, 6)
    assert "Out of memory: now 2 sequences at once, 4 times an update." in capsys.readouterr().out
    read(patient, accumulate=4)
    assert_same(hungry, patient)


def test_parts_divide_a_batch_that_is_no_power_of_two():
    hungry, patient = gpt(), gpt()
    memory = Memory(hungry, most=4)
    assert read(hungry, batch=30).micro == 3
    assert memory.sizes == [30, 15, 6, 3]
    read(patient, batch=30, accumulate=10)
    assert_same(hungry, patient)


@pytest.mark.parametrize("saved", [False, True])
def test_out_of_memory_in_the_middle(tmp_path, saved, warned):
    hungry, patient, start = gpt(), gpt(), gpt()
    memory = Memory(hungry, most=4, first=4)
    settings = {"folder": tmp_path, "save_every": 2} if saved else {}
    done = read(hungry, **settings)
    assert memory.sizes == [8, 4] and done.losses.index.tolist() == list(range(1, 7))
    assert done.steps == (4 if saved else 6)
    read(patient, accumulate=2)
    assert_same(hungry, patient, atol=2e-5 if saved else 0)
    assert differs(hungry, start)
    if saved:
        assert len(warned) == 1 and "per_device_train_batch_size: 4" in warned.pop()


def test_not_even_one_sequence():
    model = gpt()
    Memory(model, most=0)
    with pytest.raises(MemoryError, match="not even the smallest part .*checkpointing=True"):
        read(model)


def test_other_errors_pass():
    model = gpt()
    Memory(model, most=4, error="mat1 and mat2 shapes cannot be multiplied")
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        read(model)


def test_smaller_parts_do_not_help_a_judge_without_memory():
    def judge(model):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB.")

    with pytest.raises(MemoryError, match="judge ran out of memory. Let it take less"):
        read(gpt(), judge=judge, judge_every=1)


# The judge.

class Judge:
    """Says what it was told to, and keeps what it saw."""

    def __init__(self, *says):
        self.says, self.saw = list(says), []

    def __call__(self, model):
        assert not model.training and not torch.is_grad_enabled()
        torch.rand(5)
        self.saw.append(weights(model))
        return self.says[len(self.saw) - 1]


def test_the_best_model_is_kept():
    judge, model, plain = Judge(0.1, 0.9, 0.5, 0.8, 0.4, 0.3), gpt(0.1), gpt(0.1)
    done = read(model, steps=20, judge=judge, judge_every=2)
    assert done.judged.to_dict() == {2: 0.1, 4: 0.9, 6: 0.5, 8: 0.8, 10: 0.4}
    assert done.steps == 10 and done.losses.index[-1] == 10
    assert_same(model, judge.saw[1])
    assert differs(model, judge.saw[-1])
    seen = []
    read(plain, steps=20, callbacks=[At({10: lambda: seen.append(weights(plain))})])
    assert_same(judge.saw[-1], seen[0])  # its random numbers changed nothing


def test_the_best_adapter_is_kept_and_can_be_trained_on():
    judge, model = Judge(0.1, 0.9, 0.5, 0.4), lora(gpt(), ["c_attn"])
    trained = [name for name, value in model.named_parameters() if value.requires_grad]
    read(model, steps=20, judge=judge, judge_every=2, patience=2)
    assert_same(model, judge.saw[1])
    assert trained == [name for name, value in model.named_parameters() if value.requires_grad]


def test_a_judge_whom_every_update_displeases_keeps_the_first():
    judge, model = Judge(4, 3, 2, 1), gpt()
    assert read(model, steps=20, judge=judge, judge_every=1).steps == 4
    assert_same(model, judge.saw[0])


def test_the_last_update_is_judged():
    judge, model = Judge(1), gpt()
    assert read(model, judge=judge, judge_every=50).judged.to_dict() == {6: 1}
    judge = Judge(1, 2)
    assert read(model, judge=judge, judge_every=4).judged.to_dict() == {4: 1, 6: 2}
    assert_same(model, judge.saw[1])


def test_nan_is_not_better():
    judge, model = Judge(math.nan, 1, math.nan, math.nan, math.nan), gpt()
    done = read(model, steps=20, judge=judge, judge_every=1)
    assert done.steps == 5 and math.isnan(done.judged[5])
    assert_same(model, judge.saw[1])
    with pytest.raises(ValueError, match=r"judge never returned a number, but \[nan, nan\]"):
        read(gpt(), judge=Judge(math.nan, math.nan), judge_every=3)


def test_a_training_that_was_stopped_early_stays_so(tmp_path):
    says = (1, 3, 2, 1, 1, 9, 9, 9)
    first, second, judge = gpt(0.1), gpt(0.1), Judge(*says)
    done = read(first, steps=20, judge=judge, judge_every=2, folder=tmp_path)
    assert done.steps == 10
    again = read(second, steps=20, judge=Judge(), judge_every=2, folder=tmp_path)
    assert again.steps == 0
    assert_same(second, first)
    pd.testing.assert_series_equal(again.judged, done.judged)


def test_a_broken_training_remembers_the_patience(tmp_path):
    says = (1, 3, 2, 1, 1, 9, 9, 9)
    unbroken, broken, judge = gpt(0.1), gpt(0.1), Judge(*says)
    run = functools.partial(read, steps=20, judge=judge, judge_every=2)
    whole = run(unbroken)
    judge.saw.clear()
    with pytest.raises(KeyboardInterrupt):
        run(broken, folder=tmp_path, callbacks=[At({7: kill})])
    done = run(broken, folder=tmp_path)
    assert_same(broken, unbroken)
    pd.testing.assert_series_equal(done.judged, whole.judged)


# Precision, and computing again.

def test_bfloat16_trains_and_leaves_the_model_in_single_precision():
    model, plain = gpt(), gpt()
    dtypes = []
    model.transformer.h[0].mlp.c_fc.register_forward_hook(
        lambda module, args, output: dtypes.append(output.dtype))
    done = read(model, steps=40, precision="bf16")
    assert done.precision == "bf16" and set(dtypes) == {torch.bfloat16}
    assert done.losses.iloc[-5:].mean() < done.losses.iloc[0] - 0.2
    assert {value.dtype for value in model.parameters()} == {torch.float32}
    words = pad(sentences(4))
    del words["labels"]
    model(**words)
    assert dtypes[-1] == torch.float32  # not under autocast any more
    plain.load_state_dict(model.state_dict())
    torch.testing.assert_close(model(**words).logits, plain.eval()(**words).logits)
    assert read(model).precision == "fp32"


@pytest.mark.parametrize("dtype, precision", [(torch.float16, "fp32"), (torch.bfloat16, "bf16")])
def test_what_is_trained_is_held_in_single_precision(dtype, precision):
    model = lora(gpt().to(dtype), ["c_attn"], autocast_adapter_dtype=False)
    start = weights(model)
    assert {value.dtype for value in model.parameters()} == {dtype}
    read(model, precision=precision)
    for name, value in model.named_parameters():
        assert value.dtype == (torch.float32 if "lora" in name else dtype)
        assert torch.equal(value.detach(), start[name]) != ("lora" in name)


def test_the_launcher_does_not_choose_the_precision(monkeypatch):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    model, plain = gpt(), gpt()
    read(model)
    monkeypatch.undo()
    read(plain)
    assert_same(model, plain)


def test_half_precision_needs_a_gpu():
    with pytest.raises(ValueError, match="precision 'fp16' needs a GPU.*'fp32'"):
        read(gpt(), precision="fp16")


@pytest.mark.parametrize("device, capability, best", [
    ("cpu", None, "fp32"), ("mps", None, "fp32"), ("cuda", (7, 5), "fp16"),  # a T4
    ("cuda", (8, 0), "bf16"), ("cuda", (9, 0), "bf16")])
def test_the_best_precision(monkeypatch, device, capability, best):
    monkeypatch.setattr(runtime, "device", lambda: device)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert best_precision() == best


@pytest.mark.parametrize("make", [lambda: gpt(0.1), lambda: lora(gpt(0.1), ["c_attn"]), llama])
def test_computing_again_gives_the_same_weights(make):
    plain, again, passes = make(), make(), []
    base = again.get_base_model() if hasattr(again, "get_base_model") else again
    block = base.transformer.h[0].mlp if hasattr(base, "transformer") else base.model.layers[0].mlp
    block.register_forward_pre_hook(lambda *_: passes.append(1))
    read(plain)
    read(again, checkpointing=True)
    assert len(passes) == 12  # twice an update
    assert_same(again, plain)
    again.train()(**pad(sentences(4))).loss.backward()
    assert len(passes) == 13  # and it is off again


def test_it_is_off_again_after_an_error_too():
    model = gpt()
    with pytest.raises(KeyboardInterrupt):
        read(model, checkpointing=True, precision="bf16", callbacks=[At({2: kill})])
    assert not model.transformer.gradient_checkpointing and not model.training
    assert "_original_forward" not in vars(model)


def test_generation_keeps_its_cache():
    model = gpt()
    read(model)
    assert model.config.use_cache is True


# Logs.

def test_tensorboard_logs_are_in_the_folder(tmp_path, monkeypatch):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    environment = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        done = read(gpt(), folder=name, judge=Judge(1), judge_every=6)
        events = EventAccumulator(str(tmp_path / name / "logs")).Reload()
        assert [event.step for event in events.Scalars("train/loss")] == list(range(1, 7))
        np.testing.assert_allclose([event.value for event in events.Scalars("train/loss")],
                                   done.losses, rtol=1e-5)
        assert events.Scalars("eval/judge")[0].value == 1
        assert sorted(path.name for path in (tmp_path / name).iterdir()) == [
            "checkpoint-6", "logs", "training.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]
    assert dict(os.environ) == environment


def test_without_a_folder_nothing_is_left_behind(tmp_path, monkeypatch):
    home, scratch = tmp_path / "home", tmp_path / "scratch"
    home.mkdir()
    scratch.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setattr("coldrec.language.training._trainer.loggers", None)  # isn't asked
    environment = dict(os.environ)
    read(gpt(), judge=Judge(1, 2, 3), judge_every=2)
    with pytest.raises(KeyboardInterrupt):
        read(gpt(), judge=Judge(1, 2, 3), judge_every=2, callbacks=[At({5: kill})])
    assert list(home.iterdir()) == list(scratch.iterdir()) == []
    assert dict(os.environ) == environment


class FakeRun:
    def __init__(self):
        self.config, self.finished = {}, False

    def finish(self):
        self.finished = True


def test_weights_and_biases_are_told_offline(tmp_path, monkeypatch):
    """With a stand-in for the package: what it is asked to do, and where to write."""
    wandb = type(sys)("wandb")
    wandb.asked, wandb.logged, wandb.run = [], [], None

    def init(**settings):
        wandb.asked.append(settings)
        return FakeRun()

    class Callback(transformers.TrainerCallback):
        def on_log(self, args, state, control, logs=None, **kwargs):
            wandb.logged.append(logs)

    wandb.init, wandb.Settings = init, dict
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    monkeypatch.setattr("transformers.integrations.is_wandb_available", lambda: True)
    monkeypatch.setattr("transformers.integrations.is_tensorboard_available", lambda: False)
    monkeypatch.setattr("transformers.integrations.WandbCallback", Callback)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    environment = dict(os.environ)
    read(gpt(), folder=tmp_path / "graph")
    assert len(wandb.logged) == 7
    assert wandb.asked == [{"project": "coldrec", "name": "graph", "dir": tmp_path / "graph",
                            "mode": "offline", "settings": {"silent": True}}]
    assert not (tmp_path / "graph/logs").exists()
    assert dict(os.environ) == environment


def test_a_diverging_run_shows(warned):
    done = read(gpt(), steps=30, learning_rate=1e4, warmup=0.0, clip=1e9)
    assert not np.isfinite(done.losses).all() or done.losses.max() > 10 * done.losses.iloc[0]

    def broken(outputs, labels, num_items_in_batch=None):
        return outputs["logits"].sum() * math.nan

    assert read(gpt(), loss=broken).losses.isna().all()


@pytest.mark.parametrize("wrong, told", [
    ({"examples": []}, "train got no examples"),
    ({"batch": 9, "accumulate": 2}, "batch is 9; it must be a multiple of .* 2 × 1"),
    ({"steps": None, "epochs": 0}, "epochs is 0; it must be above 0"),
    ({"learning_rate": -1.0}, "learning_rate is -1.0; it must be above 0"),
    ({"warmup": 1.0}, "warmup is 1.0; it is a share"),
    ({"precision": "fp8"}, "precision is 'fp8'; it may be one of"),
    ({"judge": len, "judge_every": 0}, "judge_every is 0; it must be"),
    ({"save_every": 5}, "there is no folder to save checkpoints to"),
])
def test_arguments_that_cannot_be(wrong, told):
    with pytest.raises(ValueError, match=told):
        read(gpt(), **wrong)


def test_several_processes_do_not_start_again(monkeypatch):
    """The others would wait. (One process here, which is told that it is one of two.)"""
    model = gpt()
    Memory(model, most=2)
    monkeypatch.setattr("coldrec.language.training.make_trainer", functools.partial(
        lambda make, *args, **settings: (monkeypatch.delenv("WORLD_SIZE"),
                                         make(*args, **settings))[1], make_trainer))
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(MemoryError, match="Give a larger accumulate than 1"):
        read(model)


def test_several_processes_need_parts_and_a_folder_for_the_judge(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ValueError, match="a multiple of .* 1 × 3. Take another batch"):
        read(gpt())
    with pytest.raises(ValueError, match="Give one .that all processes see"):
        read(gpt(), batch=9, judge=len, judge_every=1)


# Two processes.

def trainings(folder):
    """Trainings, by name: the model and how it went. Both sides of the next test run them."""
    done = {}
    for accumulate in (1, 2):
        model = gpt()
        done[f"GPT-2, {accumulate}"] = model, read(model, accumulate=accumulate, batch=12)
    for case in ("Llama with LoRA", "classes", "two numbers", "own loss"):
        make, examples, settings = CASES[case]
        model = make()
        done[case] = model, learn(model, examples, accumulate=2, **settings)
    says = (0.1, 0.9, 0.5, 0.4)
    judge, model = Judge(*(says if os.environ.get("RANK", "0") == "0" else reversed(says))), gpt()
    done["judged"] = model, read(model, steps=20, judge=judge, judge_every=2, patience=2,
                                 folder=folder)
    if hasattr(model, "activation_checkpointing_enable"):  # before, transformers couldn't on CPUs
        model = gpt()
        done["again"] = model, read(model, steps=20, judge=judge, judge_every=2, patience=2,
                                    folder=folder)
    graph = pd.DataFrame({"head": [f"film:{n % 23}" for n in range(60)], "relation": "is",
                          "tail": [f"kind:{n % 7}" for n in range(60)]}).drop_duplicates()
    model = GraphGPT(16, 1, 2, epochs=2, batch=24, dropout=0.0, paths=1, progress=False).fit(graph)
    done["GraphGPT"] = model.model_, model.training_
    return {name: (weights(model), told.losses, told.micro, told.steps)
            for name, (model, told) in done.items()}


def launch(folder, script, *options):
    """Start a script in two processes, as GPU.md says (``--cpu`` would start one)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "two.py").write_text(textwrap.dedent(script))
    command = [sys.executable, "-m", "accelerate.commands.launch", *options, "--num_processes", "2",
               "--main_process_port", str(port), "two.py"]
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests"), *sys.path])}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as launcher:
        try:
            told = launcher.communicate(timeout=240)[1]
        except subprocess.TimeoutExpired:  # one waits for the other
            launcher.terminate()  # which ends both
            raise
    assert launcher.returncode == 0, told[-3000:]
    return [torch.load(folder / f"done{rank}", weights_only=False) for rank in (0, 1)]


def test_two_processes_train_the_same_as_one(tmp_path):
    """To within 1e-5 in the losses, 5e-4 in the weights (sums in another order, six steps)."""
    first, second = launch(tmp_path, """
        import gc, os, torch, test_train
        gc.freeze()
        done = test_train.trainings("two")
        torch.save(done, "done" + os.environ["RANK"])
        torch.distributed.barrier()
        os._exit(0)  # gloo's threads don't always end well
        """, "--multi_gpu", "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend",
                           "no")
    for name, (model, losses, micro, steps) in trainings(tmp_path / "one").items():
        assert (first[name][2], first[name][3]) == (micro / 2, steps)
        np.testing.assert_allclose(first[name][1], losses, atol=1e-5, err_msg=name)
        assert_same(first[name][0], model, atol=5e-4)
        assert_same(second[name][0], first[name][0])


@pytest.mark.skipif(not hasattr(transformers.PreTrainedModel, "activation_checkpointing_enable"),
                    reason="rehearsed with the accelerate of transformers 5.2x alone")
def test_gpu_md_shards_a_model(tmp_path):
    """Its configuration, on two CPU processes that accelerate is made to take for GPUs."""
    page = (ROOT / "GPU.md").read_text(encoding="utf-8")
    (tmp_path / "fsdp.yaml").write_text(page.split("```yaml\n")[1].split("```")[0])
    done = launch(tmp_path, """
        import gc, os, torch
        from accelerate.state import AcceleratorState
        from accelerate.utils import DistributedType
        from test_train import At, gpt, kill, read
        gc.freeze()
        known = AcceleratorState.__init__

        def shard(self, *args, fsdp_plugin=None, **kwargs):
            known(self, *args, fsdp_plugin=fsdp_plugin, **kwargs)
            if fsdp_plugin is not None:
                self.distributed_type, self.fsdp_plugin = DistributedType.FSDP, fsdp_plugin

        AcceleratorState.__init__ = shard
        done = []
        try:
            read(gpt(), batch=12, folder="gpt", save_every=2, callbacks=[At({5: kill})])
        except KeyboardInterrupt:
            pass
        for model in (gpt(), gpt()):
            told = read(model, batch=12, folder="gpt", save_every=2)
            parts = model.state_dict()
            done.append((told.losses, told.steps, {n: v.full_tensor() for n, v in parts.items()},
                         {type(v).__name__ for v in parts.values()}))
        torch.save(done, "done" + os.environ["RANK"])
        torch.distributed.barrier()
        os._exit(0)  # gloo's threads don't always end well
        """, "--config_file", "fsdp.yaml")
    model = gpt()
    losses = read(model, batch=12).losses
    for resumed, finished in done:
        for told, steps in ((resumed, 2), (finished, 0)):
            assert (told[1], told[3]) == (steps, {"DTensor"})
            np.testing.assert_allclose(told[0], losses, atol=1e-5)
            assert_same(told[2], model, atol=5e-4)


def test_the_script_trains_a_graphs_gpt_and_judges_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pretrain, "split", functools.cache(pretrain.split))
    call = ["--known", "all", "--epochs", "1", "--width", "16", "--share", "0.05", "--batch", "256",
            "--folder", str(tmp_path)]
    assert pretrain.main(call) == 0
    told = capsys.readouterr().out
    assert re.search(r"^\d+ triples, regime all; \d+ held out. Loss .* in 14 updates.$", told, re.M)
    assert re.search(r"mrr +hits@1 +hits@3 +hits@10 +n\nGraphGPT +0\.\d+ .*\nFrequentTail ", told)
    assert (tmp_path / "checkpoint-14").exists()
    assert pretrain.main(call) == 0  # finished, and only judged again
    assert capsys.readouterr().out == told
    monkeypatch.setenv("RANK", "1")
    assert pretrain.main(call[:-2]) == 0
    assert capsys.readouterr().out == ""

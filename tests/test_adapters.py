"""Adapting a language model: what is trained, what it costs, and that it comes back the same."""

import json
import logging
import subprocess
import sys
import warnings
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import peft
import pytest
import torch
from torch.nn import functional as F
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.utils import logging as transformers_logging

from coldrec import assets
from coldrec.language import adapters, encoder

pytestmark = [pytest.mark.filterwarnings("error"),
              # peft 0.20 of a base model without a name, when the Trainer saves it
              pytest.mark.filterwarnings("ignore:Could not find a config file in  - will")]

HIDDEN, INNER, WORDS, LAYERS = 32, 64, 60, 2
KEYS = {"bert": HIDDEN, "gpt2": HIDDEN, "llama": HIDDEN // 2}  # Llama: two heads share a key
KINDS = list(KEYS)
EVERY = [(kind, method) for kind in KINDS for method in adapters.METHODS]
HEAD = 2 * HIDDEN + 2
LINEAR = {  # (in, out) of each linear layer in a block
    "bert": {"query": (32, 32), "key": (32, 32), "value": (32, 32),
             "attention.output.dense": (32, 32), "intermediate.dense": (32, 64),
             "output.dense": (64, 32)},
    "llama": {"q_proj": (32, 32), "k_proj": (32, 16), "v_proj": (32, 16), "o_proj": (32, 32),
              "gate_proj": (32, 64), "up_proj": (32, 64), "down_proj": (64, 32)},
    "gpt2": {"c_attn": (32, 96), "attn.c_proj": (32, 32), "c_fc": (32, 64),
             "mlp.c_proj": (64, 32)}}
NORMS = {"bert": 64 * (1 + 2 * LAYERS), "llama": 32 * (1 + 2 * LAYERS),
         "gpt2": 64 * (1 + 2 * LAYERS)}
FACTORS = {"bert": 32 + 32 + 64, "llama": 16 + 16 + 64, "gpt2": 96 + 64}


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog):
    """What the libraries warn of in their logs counts as a warning too."""
    transformers_logging.enable_propagation()
    yield
    transformers_logging.disable_propagation()
    told = [r.getMessage() for r in caplog.get_records("call") if r.levelno >= logging.WARNING]
    assert not [line for line in told if "use_return_dict" not in line]  # peft 0.20's, of itself


def tiny(kind, **settings):
    """A small random model without dropout; the same each time."""
    torch.manual_seed(0)
    shape = {"vocab_size": WORDS, "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
             "num_attention_heads": 4, "initializer_range": 0.2}
    if kind == "llama":
        model = LlamaForCausalLM(LlamaConfig(
            **shape | {"num_key_value_heads": 2, "intermediate_size": INNER,
                       "tie_word_embeddings": True, **settings}))
    elif kind == "gpt2":
        model = GPT2LMHeadModel(GPT2Config(
            **shape | {"n_inner": INNER, "n_positions": 64, "resid_pdrop": 0.0, "attn_pdrop": 0.0,
                       "embd_pdrop": 0.0, "bos_token_id": 0, "eos_token_id": 0,
                       **settings}))
        model.loss_type = "ForCausalLM"  # transformers takes this loss anyway, but with a warning
    else:
        model = {"bert": BertForSequenceClassification, "encoder": BertModel,
                 "masked": BertForMaskedLM}[kind](BertConfig(
                     **shape | {"intermediate_size": INNER, "max_position_embeddings": 40,
                                "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
                                **settings}))
    return model.eval()


def texts(kind):
    """Eight texts, some shorter, and what is to be learnt: a rule of the next word, or a class."""
    start = torch.arange(5, 53, 6)[:, None]
    ids = (start + 3 * torch.arange(7)) % 55 + 5
    mask = torch.ones_like(ids)
    mask[1::2, 5:] = 0
    labels = (torch.arange(8) % 2 if kind == "bert" else ids.masked_fill(mask == 0, -100))
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def outputs(model, kind):
    """What the model says of the texts (where they have words)."""
    given = texts(kind)
    del given["labels"]
    with torch.no_grad():
        said = model.eval()(**given)
    if kind == "bert":
        return said.logits
    said = said.last_hidden_state if kind == "encoder" else said.logits
    return said[:, -7:][given["attention_mask"] == 1]


def learn(model, kind, steps=20, rate=0.03):
    """Train on the texts and return the losses."""
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=rate)
    losses = []
    for _ in range(steps):
        loss = model.train()(**texts(kind)).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def adapted(kind, method, **settings):
    return adapters.adapt(tiny(kind), method, **{"rank": 4, "tokens": 5, "width": 6, "steps": 20,
                                                 **settings})


def is_part_of(name, method):
    """Whether a parameter of this name is the method's to train, head and all."""
    own = {"full": "", "adapter": ("down.", "up.", "norm", "ln_", "classifier."), "ia3": ".ia3_l.",
           "lora": ".lora_", "adalora": (".lora_A.", ".lora_B.", ".lora_E."),
           "prefix": "prompt_encoder.", "prompt": "prompt_encoder."}[method]
    own = (own,) if isinstance(own, str) else own
    name = name.replace("LayerNorm", "norm").replace("down_proj", "").replace("up_proj", "")
    return any(part in name for part in (*own, ".modules_to_save."))


@pytest.mark.parametrize(("kind", "method"), EVERY)
def test_a_method_learns_with_its_own_weights_and_comes_back_the_same(kind, method, tmp_path):
    base = tiny(kind)
    first = {name: (value, value.detach().clone()) for name, value in base.named_parameters()}
    model = adapters.adapt(base, method, rank=4, tokens=5, width=6, steps=20)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    assert {n for n, value in model.named_parameters() if value.requires_grad} == {
        name for name in before if is_part_of(name, method)}

    losses = learn(model, kind)

    assert losses[-1] < 0.8 * losses[0]
    moved = {n for n, value in model.named_parameters() if not torch.equal(value, before[n])}
    assert moved == {name for name in before if is_part_of(name, method)}
    kept = [n for n in first if method not in ("full", "adapter") or not is_part_of(n, method)]
    assert kept or method == "full"
    assert all(torch.equal(*first[name]) for name in kept)

    said = outputs(model, kind)
    assert adapters.save(model, tmp_path / "saved") == tmp_path / "saved"
    assert {path.suffix for path in (tmp_path / "saved").iterdir()} <= {".safetensors", ".json",
                                                                      ".md"}
    again = adapters.load(tiny(kind), tmp_path / "saved")
    assert not again.training and adapters.trainable(again)[0] == 0
    assert torch.equal(outputs(again, kind), said)
    assert not torch.equal(outputs(tiny(kind), kind), said)

    further = adapters.load(tiny(kind), tmp_path / "saved", trainable=True)
    assert further.training and adapters.trainable(further) == adapters.trainable(model)
    assert torch.equal(outputs(further, kind), said)
    there = {name: value.detach().clone() for name, value in further.named_parameters()}
    assert learn(further, kind, steps=2)[0] < losses[0]
    assert moved == {n for n, v in further.named_parameters() if not torch.equal(v, there[n])}
    adapters.save(again, tmp_path / "saved")  # from a model that isn't trained, over the first
    assert torch.equal(outputs(adapters.load(tiny(kind), tmp_path / "saved"), kind), said)


@pytest.mark.parametrize(("kind", "method"), EVERY)
def test_the_number_of_weights_is_what_the_formula_says(kind, method):
    base = sum(value.numel() for value in tiny(kind).parameters())
    layers, h = LINEAR[kind].values(), HIDDEN
    adds = {"full": 0,
            "adapter": LAYERS * 2 * (2 * h * 6 + 6 + h),
            "lora": LAYERS * sum(4 * (i + o) for i, o in layers),
            "adalora": LAYERS * sum(6 * (i + o + 1) for i, o in layers),
            "prefix": 5 * 2 * LAYERS * KEYS[kind], "prompt": 5 * h,
            "ia3": LAYERS * FACTORS[kind]}[method]
    trains = adds + (HEAD if kind == "bert" else 0) + (NORMS[kind] if method == "adapter" else 0)
    trains = base if method == "full" else trains
    assert adapters.trainable(adapted(kind, method)) == (trains, base + adds)


@pytest.mark.parametrize("method", ["adapter", "lora", "adalora", "ia3"])
@pytest.mark.parametrize("kind", [*KINDS, "encoder"])
def test_at_first_the_model_is_what_it_was(kind, method):
    assert torch.equal(outputs(adapted(kind, method), kind), outputs(tiny(kind), kind))


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@pytest.mark.parametrize("method", ["prefix", "prompt"])
def test_at_first_a_causal_model_has_read_random_words(kind, method, monkeypatch):
    base, given, words = tiny(kind), texts(kind), torch.tensor([7, 3, 50, 21, 34])
    ids = torch.cat([words.expand(8, -1), given["input_ids"]], 1)
    mask = torch.cat([torch.ones(8, 5, dtype=torch.long), given["attention_mask"]], 1)
    with torch.no_grad():
        read = base(input_ids=ids, attention_mask=mask).logits[:, 5:]
    monkeypatch.setattr(torch, "randint", lambda *given, **_: words.view(given[-1]))
    model = adapters.adapt(base, method, tokens=5)
    torch.testing.assert_close(outputs(model, kind), read[given["attention_mask"] == 1])


def encode_by_hand(bert, hidden, mask, prefix):
    """BERT's layers, each with its own keys and values of made-up words before the text's."""
    def heads(x):
        return x.unflatten(-1, (4, -1)).transpose(1, 2)

    for layer, (key, value) in zip(bert.encoder.layer, prefix, strict=True):
        own = layer.attention.self
        k = torch.cat([heads(key.expand(8, -1, -1)), heads(own.key(hidden))], 2)
        v = torch.cat([heads(value.expand(8, -1, -1)), heads(own.value(hidden))], 2)
        may = torch.cat([torch.ones(8, len(key[0])), mask], 1).bool()[:, None, None]
        mixed = F.scaled_dot_product_attention(heads(own.query(hidden)), k, v, attn_mask=may)
        hidden = layer.attention.output(mixed.transpose(1, 2).flatten(2), hidden)
        hidden = layer.output(layer.intermediate(hidden), hidden)
    return hidden


@pytest.mark.parametrize("impl", ["sdpa", "eager"])
@pytest.mark.parametrize("kind", ["bert", "encoder"])
def test_a_prefix_of_an_encoder_is_keys_and_values_and_moves_no_word(kind, impl):
    base, given = tiny(kind), texts(kind)
    base.set_attn_implementation(impl)
    model = adapters.adapt(base, "prefix", tokens=5)
    weight = model.prompt_encoder["default"].embedding.weight
    torch.nn.init.normal_(weight)
    prefix = weight.detach().view(5, LAYERS, 2, HIDDEN).permute(1, 2, 0, 3).unsqueeze(2)
    bert = tiny("bert").bert if kind == "bert" else tiny(kind)
    with torch.no_grad():
        hidden = encode_by_hand(bert, bert.embeddings(given["input_ids"]), given["attention_mask"],
                                prefix)
        wanted = (tiny("bert").classifier(bert.pooler(hidden)) if kind == "bert"
                  else hidden[given["attention_mask"] == 1])
    torch.testing.assert_close(outputs(model, kind), wanted)
    torch.testing.assert_close(outputs(model.get_base_model(), kind), outputs(tiny(kind), kind))
    outputs_of(model, given).square().sum().backward()
    assert (weight.grad.view(5, LAYERS, 2, HIDDEN).abs().sum((0, 3)) > 0).all()


def outputs_of(model, given):
    said = model(input_ids=given["input_ids"], attention_mask=given["attention_mask"])
    return said.logits if "logits" in said else said.last_hidden_state


@pytest.mark.parametrize("kind", ["bert", "encoder"])
def test_a_prompt_of_an_encoder_moves_no_word_and_its_result_is_the_texts(kind):
    base, given = tiny(kind), texts(kind)
    model = adapters.adapt(base, "prompt", tokens=5)
    bert = tiny("bert").bert if kind == "bert" else tiny(kind)
    words = model.prompt_encoder["default"].embedding.weight
    with torch.no_grad():
        hidden = bert.embeddings(input_ids=given["input_ids"])
        lead = bert.embeddings(inputs_embeds=words.expand(8, -1, -1),
                               position_ids=torch.zeros(1, 5, dtype=torch.long))
        mask = torch.cat([torch.ones(8, 5), given["attention_mask"]], 1)
        none = torch.zeros(LAYERS, 2, 1, 0, HIDDEN)
        hidden = encode_by_hand(bert, torch.cat([lead, hidden], 1), mask, none)[:, 5:]
        wanted = (tiny("bert").classifier(bert.pooler(hidden)) if kind == "bert"
                  else hidden[given["attention_mask"] == 1])
    torch.testing.assert_close(outputs(model, kind), wanted)
    assert torch.equal(outputs(model.get_base_model(), kind), outputs(tiny(kind), kind))


@pytest.mark.parametrize("method", ["prefix", "prompt"])
def test_an_encoder_takes_what_a_tokenizer_gives(method):
    given = texts("encoder")
    del given["labels"]
    model = adapted("encoder", method).eval()
    with torch.no_grad():
        said = model(**given, token_type_ids=torch.zeros_like(given["input_ids"]))
    assert said.last_hidden_state.shape == (8, 7, HIDDEN)
    torch.testing.assert_close(said.last_hidden_state[given["attention_mask"] == 1],
                               outputs(model, "encoder"))


@pytest.mark.parametrize("method", ["prefix", "prompt"])
@pytest.mark.parametrize("kind", ["bert", "encoder"])
def test_an_encoder_still_takes_its_longest_texts(kind, method):
    ids = torch.arange(40)[None] + 5
    model = adapted(kind, method).eval()
    with torch.no_grad():
        said = outputs_of(model, {"input_ids": ids, "attention_mask": torch.ones_like(ids)})
    assert said.isfinite().all()


@pytest.mark.parametrize("method", ["prefix", "prompt"])
def test_made_up_words_are_there_when_text_is_generated(method):
    model, ids = adapted("llama", method).eval(), texts("llama")["input_ids"][:1]
    wanted = ids
    with torch.no_grad():
        for _ in range(4):
            wanted = torch.cat([wanted, model(input_ids=wanted).logits[:, -1:].argmax(-1)], 1)
    peft_warns_of_itself = pytest.warns(UserWarning, match="Position ids are not supported")
    with torch.no_grad(), peft_warns_of_itself if method == "prompt" else nullcontext():
        made = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False,
                              max_new_tokens=4, pad_token_id=0, eos_token_id=None)
    assert made[:, -4:].tolist() == wanted[:, -4:].tolist()


def test_checkpointing_is_refused_where_it_would_drop_the_prefix():
    model = adapted("llama", "prefix")
    for name in ("gradient_checkpointing_enable", "activation_checkpointing_enable"):
        with pytest.raises(ValueError, match="can't be trained with checkpointing.*Take smaller"):
            getattr(model, name)()


@pytest.mark.parametrize("method", [m for m in adapters.METHODS if m != "prefix"])
def test_checkpointing_changes_no_gradient(method):
    found = []
    for checkpointing in (False, True):
        torch.manual_seed(1)
        model = adapted("llama", method)
        if checkpointing:
            (getattr(model, "activation_checkpointing_enable", None)  # its name of late
             or model.gradient_checkpointing_enable)()
            model.config.use_cache = False
        model.train()(**texts("llama")).loss.backward()
        found.append({n: v.grad for n, v in model.named_parameters() if v.requires_grad})
    torch.testing.assert_close(*found)


# AdaLoRA under the real Trainer

STEPS = 20


class Look(TrainerCallback):
    """Note how many ranks there are after each update."""

    def __init__(self):
        self.seen = []

    def on_step_end(self, args, state, control, model=None, **kwargs):
        self.seen.append(sum(adapters.ranks(model).values()))


class WorseLater(TrainerCallback):
    """Make what was learnt first the best."""

    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        metrics["eval_loss"] = float(state.global_step)


def rows(kind):
    given = texts(kind)
    return [{name: value[i] for name, value in given.items()} for i in range(8)]


def trainer(model, folder, callbacks, kind="llama", steps=STEPS, **settings):
    return Trainer(model, TrainingArguments(
        output_dir=str(folder), max_steps=steps, per_device_train_batch_size=4, learning_rate=2e-2,
        lr_scheduler_type="constant", logging_steps=1, report_to="none", use_cpu=True,
        disable_tqdm=True, label_names=["labels"], dataloader_pin_memory=False,
        **{"save_strategy": "no"} | settings), train_dataset=rows(kind),
        eval_dataset=rows(kind), callbacks=callbacks)


@pytest.mark.parametrize("kind", ["bert", "llama"])
def test_ranks_move_and_all_but_the_target_go(kind, tmp_path):
    model, look = adapted(kind, "adalora"), Look()
    layers = LAYERS * len(LINEAR[kind])
    assert set(adapters.ranks(model).values()) == {6}
    training = trainer(model, tmp_path / "run", [adapters.AllocateRanks(), look], kind)
    training.train()

    assert look.seen[0] == look.seen[1] == 6 * layers
    assert look.seen == sorted(look.seen, reverse=True) and len(set(look.seen)) > 4
    assert look.seen[-7:] == [4 * layers] * 7
    assert len(set(adapters.ranks(model).values())) > 1  # some layers need more than others
    losses = [row["loss"] for row in training.state.log_history if "loss" in row]
    assert len(losses) == STEPS and losses[-1] < losses[0]
    assert all(value.isfinite().all() for value in model.parameters())

    adapters.save(model, tmp_path / "saved")
    again = adapters.load(tiny(kind), tmp_path / "saved")
    assert adapters.ranks(again) == adapters.ranks(model)
    assert torch.equal(outputs(again, kind), outputs(model, kind))

    further = adapters.load(tiny(kind), tmp_path / "saved", trainable=True)
    trainer(further, tmp_path / "run", [adapters.AllocateRanks()], kind, steps=5).train()
    assert adapters.ranks(further) == adapters.ranks(model)
    assert not torch.equal(outputs(further, kind), outputs(model, kind))


def test_without_the_callback_no_rank_moves(tmp_path):
    model = adapted("llama", "adalora")
    trainer(model, tmp_path, []).train()
    assert set(adapters.ranks(model).values()) == {6}


@pytest.mark.parametrize("stop", [10, 16])  # while ranks move, and after
def test_adalora_goes_on_from_a_checkpoint_as_if_unbroken(stop, tmp_path):
    found = []
    for checkpoint in (None, str(tmp_path / f"checkpoint-{stop}")):
        model = adapted("bert", "adalora", rank=1)
        trainer(model, tmp_path, [adapters.AllocateRanks()], "bert", save_strategy="steps",
                save_steps=stop).train(resume_from_checkpoint=checkpoint)
        found.append([value.detach().clone() for value in model.parameters()])
    assert all(map(torch.equal, *found))


def test_the_best_checkpoint_of_adalora_can_be_taken_back(tmp_path):
    model = adapted("llama", "adalora")
    training = trainer(model, tmp_path, [adapters.AllocateRanks(), WorseLater()],
                       save_strategy="steps", save_steps=8, eval_strategy="steps", eval_steps=8,
                       load_best_model_at_end=True)
    training.train()
    assert training.state.best_global_step == 8
    assert sum(adapters.ranks(model).values()) > 4 * LAYERS * len(LINEAR["llama"])


def test_training_for_other_than_the_steps_it_was_told_is_refused(tmp_path):
    training = trainer(adapted("llama", "adalora"), tmp_path, [adapters.AllocateRanks()], steps=30)
    with pytest.raises(ValueError, match="told steps=20, and the training takes 30.*steps=30"):
        training.train()


def begin(model, folder, wrap=lambda model: model):
    """A callback that has seen training begin, and what the Trainer gives it."""
    callback = adapters.AllocateRanks()
    given = (TrainingArguments(output_dir=str(folder), report_to="none", use_cpu=True),
             SimpleNamespace(max_steps=STEPS, global_step=0), None)
    callback.on_train_begin(*given, model=wrap(model))
    return callback, given


@pytest.mark.parametrize("method", [m for m in adapters.METHODS if m != "adalora"])
def test_the_callback_lets_other_methods_be(method, tmp_path):
    model = adapted("bert", method)
    model.train()(**texts("bert")).loss.backward()
    was = [(v.detach().clone(), None if v.grad is None else v.grad.clone())
           for v in model.parameters()]
    callback, given = begin(model, tmp_path)
    callback.on_pre_optimizer_step(*given)
    callback.on_optimizer_step(*given)
    callback.on_save(*given)
    assert not list(tmp_path.iterdir())
    for (value, slope), now in zip(was, model.parameters(), strict=True):
        assert torch.equal(value, now)
        assert slope is now.grad is None or torch.equal(slope, now.grad)


def test_the_trainer_takes_the_callback_for_another_method(tmp_path):
    model = adapted("bert", "lora")
    trainer(model, tmp_path, [adapters.AllocateRanks()], "bert", steps=2).train()


def test_the_penalty_is_pefts_without_its_being_in_the_loss(tmp_path):
    found = []
    for ours in (True, False):
        torch.manual_seed(3)
        model = adapted("llama", "adalora")
        if not ours:
            model.peft_config["default"].orth_reg_weight = 0.5  # peft's default
        loss = model.train()(**texts("llama")).loss
        loss.backward()
        if ours:
            assert loss == tiny("llama").train()(**texts("llama")).loss
            callback, given = begin(model, tmp_path)
            callback.on_pre_optimizer_step(*given)
        found.append({n: v.grad for n, v in model.named_parameters() if v.requires_grad})
    assert found[0]["base_model.model.model.layers.0.mlp.up_proj.lora_A.default"].abs().sum() > 0
    torch.testing.assert_close(*found)


def test_a_step_that_fp16_leaves_out_spoils_no_score(tmp_path):
    model = adapted("llama", "adalora")
    callback, given = begin(model, tmp_path)
    for step in range(5):
        given[1].global_step = step
        model.train()(**texts("llama")).loss.backward()
        if step == 1:
            for value in model.parameters():
                if value.grad is not None:
                    value.grad.fill_(float("inf"))
        callback.on_optimizer_step(*given)
        model.zero_grad()
    scores = model.base_model.rankallocator.exp_avg_ipt
    assert scores and all(value.isfinite().all() for value in scores.values())
    given[1].global_step = 0
    callback.on_train_begin(*given, model=model)  # again, after running out of memory
    assert not model.base_model.rankallocator.exp_avg_ipt


def test_a_model_wrapped_for_several_devices_is_found(tmp_path):
    model = adapted("llama", "adalora")
    callback, _ = begin(model, tmp_path, wrap=torch.nn.DataParallel)
    assert callback.tuner is model.base_model


def test_a_loaded_adalora_has_a_loss_and_the_plain_one(tmp_path):
    model = adapted("llama", "adalora")
    adapters.save(model, tmp_path / "saved")
    again = adapters.load(tiny("llama"), tmp_path / "saved")
    with torch.no_grad():
        assert again(**texts("llama")).loss == tiny("llama")(**texts("llama")).loss


def test_ranks_of_another_method_are_refused():
    with pytest.raises(ValueError, match="method is 'lora'.*adapt"):
        adapters.ranks(adapted("bert", "lora"))


# Saving and loading


@pytest.mark.parametrize("method", adapters.METHODS)
def test_a_save_that_breaks_off_leaves_what_was_there(method, tmp_path, monkeypatch):
    folder = tmp_path / "saved"
    model = adapted("bert", method)
    adapters.save(model, folder)
    said = outputs(model, "bert")
    learn(model, "bert", steps=2)

    def full(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(json, "dumps", full)  # the last thing to be written
    for place in (folder, tmp_path / "other"):
        with pytest.raises(OSError, match="No space left"):
            adapters.save(model, place)
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]
    assert torch.equal(outputs(adapters.load(tiny("bert"), folder), "bert"), said)


def test_a_folder_that_cannot_be_moved_in_leaves_what_was_there(tmp_path, monkeypatch):
    folder, move = tmp_path / "saved", Path.rename
    model = adapted("bert", "lora")
    adapters.save(model, folder)
    monkeypatch.setattr(Path, "rename", lambda path, to: (
        move(path, to) if path.name != "new" else open("/nowhere/at/all")))
    with pytest.raises(OSError, match="nowhere"):
        adapters.save(model, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]
    adapters.load(tiny("bert"), folder)


def test_an_empty_folder_is_filled_and_a_strange_one_is_refused(tmp_path):
    model, strange = adapted("bert", "ia3"), tmp_path / "strange"
    (tmp_path / "empty").mkdir()
    strange.mkdir()
    (strange / "thesis.tex").write_text("years of work")
    adapters.load(tiny("bert"), adapters.save(model, tmp_path / "empty"))
    for place in (strange, strange / "thesis.tex"):
        with pytest.raises(FileExistsError, match="isn't a saved model. Give another"):
            adapters.save(model, place)
    assert (strange / "thesis.tex").read_text() == "years of work"


def test_other_programs_read_what_is_saved(tmp_path):
    lora, full = adapted("bert", "lora"), adapted("bert", "full")
    learn(lora, "bert", steps=3)
    learn(full, "bert", steps=3)
    adapters.save(lora, tmp_path / "lora")
    adapters.save(full, tmp_path / "full")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`")  # peft's, of its own
        theirs = peft.PeftModel.from_pretrained(tiny("bert"), tmp_path / "lora")
    assert torch.equal(outputs(theirs, "bert"), outputs(lora, "bert"))
    theirs = BertForSequenceClassification.from_pretrained(tmp_path / "full")
    assert torch.equal(outputs(theirs, "bert"), outputs(full, "bert"))


@pytest.mark.parametrize("method", adapters.METHODS)
def test_a_base_model_that_does_not_fit_is_refused_and_left_alone(method, tmp_path):
    adapters.save(adapted("llama", method), tmp_path / "saved")
    for other, told in ((tiny("llama", hidden_size=64), "hidden_size is 32, not 64"),
                        (tiny("llama", num_hidden_layers=1), "num_hidden_layers is 2, not 1"),
                        (tiny("gpt2"), "class is 'LlamaForCausalLM', not 'GPT2LMHeadModel'")):
        before = list(other.state_dict())
        with pytest.raises(ValueError, match=f"trained on another model.*{told}.*Load its base"):
            adapters.load(other, tmp_path / "saved")
        assert list(other.state_dict()) == before


@pytest.mark.parametrize("method", adapters.METHODS)
def test_a_damaged_save_is_refused(method, tmp_path):
    folder = adapters.save(adapted("bert", method), tmp_path / "saved")
    (weights,) = folder.glob("*.safetensors")
    whole, about = weights.read_bytes(), (folder / "coldrec.json").read_text()
    weights.write_bytes(whole[:-100])
    with pytest.raises(ValueError, match="missing or damaged .*Save the model again"):
        adapters.load(tiny("bert"), folder)
    weights.unlink()
    with pytest.raises(ValueError, match="missing or damaged .*Save the model again"):
        adapters.load(tiny("bert"), folder)
    for wrong in (about[:-5], "[]", about.replace(method, "magic", 1)):
        (folder / "coldrec.json").write_text(wrong)
        with pytest.raises(ValueError, match="coldrec.json is damaged .*Save the model again"):
            adapters.load(tiny("bert"), folder)
    (folder / "coldrec.json").unlink()
    with pytest.raises(FileNotFoundError, match="isn't a folder that save wrote"):
        adapters.load(tiny("bert"), folder)


@pytest.mark.parametrize("method", adapters.METHODS)
def test_weights_of_another_size_are_refused(method, tmp_path):
    sizes = {"rank": 3, "tokens": 4, "width": 5}
    folder = adapters.save(adapted("bert", method), tmp_path / "saved")
    other = (adapters.save(adapted("bert", method, **sizes), tmp_path / "other")
             if method not in ("full", "ia3") else
             adapters.save(adapters.adapt(tiny("bert", num_labels=3, num_hidden_layers=1), method),
                           tmp_path / "other"))
    (weights,) = other.glob("*.safetensors")
    weights.replace(folder / weights.name)
    with pytest.raises(ValueError, match="doesn't fit the model: .* there and .* here"):
        adapters.load(tiny("bert"), folder)


# What adapt takes


def test_targets_are_named_by_their_ends():
    def taken(*given, **settings):
        model = adapted(*given, **settings)
        names = [n.partition(".layer.1.")[2] for n, _ in model.named_parameters()]
        return {n.partition(end)[0] for n in names for end in (".lora_A", ".down.") if end in n}

    assert taken("bert", "lora", targets="query") == {"attention.self.query"}
    assert taken("bert", "lora", targets=["value", "output.dense"]) == {"attention.self.value",
                                                                        "output.dense"}
    assert taken("bert", "adalora", targets=["dense"]) == {
        "attention.output.dense", "intermediate.dense", "output.dense"}
    assert taken("bert", "adapter", targets="output.dense") == {"output.dense"}
    factors = adapted("bert", "ia3", targets=["query", "output.dense"])
    assert adapters.trainable(factors)[0] == HEAD + LAYERS * (32 + 64)  # the inner ones, as before


def test_the_outputs_of_both_halves_get_a_bottleneck():
    model = adapted("llama", "adapter")
    assert [n for n, part in model.named_modules() if type(part).__name__ == "Bottleneck"] == [
        "model.layers.0.self_attn.o_proj", "model.layers.0.mlp.down_proj",
        "model.layers.1.self_attn.o_proj", "model.layers.1.mlp.down_proj"]


def test_a_task_can_be_told():
    assert adapted("bert", "lora").peft_config["default"].task_type == "SEQ_CLS"
    assert adapted("llama", "lora").peft_config["default"].task_type == "CAUSAL_LM"
    assert adapted("encoder", "lora").peft_config["default"].task_type == "FEATURE_EXTRACTION"
    told = adapted("llama", "lora", task="FEATURE_EXTRACTION")
    assert told.peft_config["default"].task_type == "FEATURE_EXTRACTION"


@pytest.mark.parametrize("method", adapters.METHODS)
def test_a_base_model_in_half_precision_gets_weights_in_full(method):
    model = adapters.adapt(tiny("llama").to(torch.bfloat16), method, steps=20)
    assert outputs(model, "llama").dtype == torch.bfloat16
    kinds = {value.dtype for name, value in model.named_parameters() if is_part_of(name, method)
             and "norm" not in name}
    assert kinds == {torch.bfloat16 if method == "full" else torch.float32}


@pytest.mark.parametrize(("settings", "told"), [
    ({"method": "qlora"}, r"method is 'qlora'; it may be one of \('full', .*'ia3'\)"),
    ({"method": "lora", "targets": ["q_proj", "value"]},
     r"targets has \['q_proj'\].*linear layers .*\['attention.self.query', .*'output.dense'\]"),
    ({"method": "adapter", "targets": []}, "Take one or more"),
    ({"method": "prompt", "targets": ["query"]}, "'prompt' takes no layers. Leave it out"),
    ({"method": "lora", "task": "QUIZ"}, r"task is 'QUIZ'; it may be one of \('SEQ_CLS'"),
    ({"method": "adalora"}, "must know how many updates.*adapt.model, 'adalora', steps="),
    ({"method": "adalora", "steps": 9}, "steps is 9; it must be a whole number from 10 on"),
    ({"method": "lora", "rank": 0}, "rank is 0; it must be a whole number from 1 on"),
    ({"method": "adapter", "width": 0}, "width is 0; it must be"),
    ({"method": "prefix", "tokens": 0}, "tokens is 0; it must be"),
])
def test_wrong_arguments_are_refused_with_what_is_right(settings, told):
    base = tiny("bert")
    before = list(base.state_dict())
    with pytest.raises(ValueError, match=told):
        adapters.adapt(base, **settings)
    assert list(base.state_dict()) == before


@pytest.mark.parametrize("method", [m for m in adapters.METHODS if m != "full"])
def test_a_model_is_adapted_once(method):
    with pytest.raises(ValueError, match="adapted already. Load the base model again"):
        adapters.adapt(adapted("bert", method), "lora")
    with pytest.raises(ValueError, match="got a Linear that isn't a model of transformers"):
        adapters.adapt(torch.nn.Linear(2, 2), method)


@pytest.mark.parametrize("method", ["prefix", "prompt"])
def test_made_up_words_are_refused_where_they_would_be_misread(method):
    with pytest.raises(ValueError, match="isn't known to be right for a BertForMaskedLM.*'lora'"):
        adapters.adapt(tiny("masked"), method)


def test_a_model_of_an_unknown_make_needs_targets():
    strange = DistilBertModel(DistilBertConfig(vocab_size=60, dim=32, hidden_dim=64, n_layers=1,
                                               n_heads=4))
    with pytest.raises(ValueError, match="a DistilBertModel. Name some .*'attention.q_lin'"):
        adapters.adapt(strange, "lora")
    assert adapters.trainable(adapters.adapt(strange, "lora", targets=["q_lin"], rank=2))[0] == 128


def test_tied_weights_count_once():
    tied, loose = tiny("llama"), tiny("llama", tie_word_embeddings=False)
    assert adapters.trainable(loose)[1] - adapters.trainable(tied)[1] == WORDS * HIDDEN


def test_importing_it_loads_nothing_heavy():
    code = ("import sys, coldrec.language.adapters\n"
            "print([m for m in ('torch', 'transformers', 'peft') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# The course's own encoder


@pytest.mark.parametrize("method", ["lora", "prefix"])
def test_minilm_is_hardly_disturbed_learns_and_comes_back(method, tmp_path):
    from transformers import AutoTokenizer

    def minilm():
        return BertModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)

    def vectors(model):
        with torch.no_grad():
            return F.normalize(model.eval()(**tokens).last_hidden_state[:, 0], dim=1)

    folder = assets.fetch("minilm")
    tokens = AutoTokenizer.from_pretrained(folder, local_files_only=True)(
        ["Toys come alive.", "A mob boss hands over to his reluctant son."], padding=True,
        return_tensors="pt")
    model = adapters.adapt(minilm(), method, tokens=10)
    plain = vectors(minilm())
    assert ((vectors(model) * plain).sum(1) > 0.98).all()
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad],
                                 lr={"lora": 0.01, "prefix": 0.1}[method])
    for _ in range(4):
        a, b = model(**tokens).last_hidden_state[:, 0]
        loss = F.cosine_similarity(a, b, dim=0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    said = vectors(model)
    assert said[0] @ said[1] < plain[0] @ plain[1] - 0.02
    adapters.save(model, tmp_path / "saved")
    assert json.loads((tmp_path / "saved" / "coldrec.json").read_text())["method"] == method
    assert torch.equal(vectors(adapters.load(minilm(), tmp_path / "saved")), said)


@pytest.mark.parametrize("method", ["lora", "adapter", "prefix"])
def test_a_seed_says_what_is_added_and_leaves_the_generator_alone(method):
    def added(seed):
        model = adapters.adapt(encoder()[1], method, seed=seed)
        return torch.cat([v.flatten() for v in model.parameters() if v.requires_grad])

    torch.manual_seed(5)
    first, follows = added(0), torch.rand(1)
    torch.manual_seed(7)
    assert torch.equal(added(0), first)
    assert not torch.equal(added(1), first)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(1), follows)
    with pytest.raises(ValueError, match="seed"):
        added(-1)

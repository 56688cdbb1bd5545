"""Prefixes and prompts: made-up words, put right where peft isn't."""

from __future__ import annotations


def _words_config(model, method, task, tokens):
    import peft

    if method == "prefix":
        return peft.PrefixTuningConfig(task_type=task, num_virtual_tokens=tokens)
    return peft.PromptTuningConfig(task_type=task, num_virtual_tokens=tokens,
                                   prompt_tuning_init="SAMPLE_VOCAB")


def _check_takes_words(model, method) -> None:
    if not _is_bert(model) and not model.can_generate():
        raise ValueError(f"{method!r} isn't known to be right for a {type(model).__name__}, which "
                         "may read its result, or count its positions, at a made-up word. Use "
                         "'lora', or a BertModel, its classifier, or a causal language model.")


def _is_bert(model) -> bool:
    return (model.config.model_type == "bert" and not model.config.is_decoder
            and model.get_output_embeddings() is None)


def _keep_places(adapted, tokens: int) -> None:
    """Leave an encoder's text at the positions it was trained on, and its result at [CLS].

    By itself, peft moves the text up by ``tokens`` positions (and MiniLM's vectors with it, to a
    cosine of 0.9), has the pooler read the first made-up word, and returns vectors of all words.
    """
    import torch

    def outside(adapted, args, given):
        kinds = given.get("token_type_ids")
        if adapted.active_peft_config.task_type == "FEATURE_EXTRACTION" and (
                kinds is not None and not kinds.any()):
            return args, given | {"token_type_ids": None}  # what it stands for; peft would warn

    def before(encoder, args, given):
        text, words = given.get("input_ids"), given.get("inputs_embeds")
        if given.get("past_key_values") is not None:
            lead, length = 0, text.shape[1]
        elif words is not None:
            lead, length = tokens, words.shape[1] - tokens
        else:
            return None  # the base model, called for itself
        places = torch.cat([torch.zeros(lead, dtype=torch.long), torch.arange(length)])
        return args, given | {"position_ids": places[None].to(encoder.device)}

    def after(encoder, args, given, output):
        if given.get("inputs_embeds") is not None:
            output.last_hidden_state = output.last_hidden_state[:, tokens:]
            if encoder.pooler is not None:
                output.pooler_output = encoder.pooler(output.last_hidden_state)

    adapted.register_forward_pre_hook(outside, with_kwargs=True)
    encoder = adapted.get_base_model().base_model
    encoder.register_forward_pre_hook(before, with_kwargs=True)
    encoder.register_forward_hook(after, with_kwargs=True)


def _start_prefix(model, weight) -> None:
    """Start a prefix where it disturbs least: peft's own start makes nonsense of what follows.

    In a causal model these are the keys and values of random words, as if read before. An encoder,
    which reads both ways, is disturbed less by next to nothing.
    """
    import torch
    from transformers import DynamicCache

    with torch.no_grad():
        if _is_bert(model):
            weight.normal_(std=0.02)
            return
        was, cache = model.training, DynamicCache(config=model.config)
        words = torch.randint(model.config.vocab_size, (1, len(weight)), device=model.device)
        model.eval()(input_ids=words, past_key_values=cache)
        model.train(was)
        pairs = torch.stack([half[0] for layer in cache.layers
                             for half in (layer.keys, layer.values)])  # 2 layers, heads, word, dim
        weight.copy_(pairs.permute(2, 0, 1, 3).flatten(1))

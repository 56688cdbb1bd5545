"""How probable a text is: token by token by hand, and whatever stands beside it in a batch."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal

from coldrec.language.score import log_likelihood, perplexity

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")
pytestmark = pytest.mark.filterwarnings("error")

WORDS = "[BOS] fargo was directed by the of and director raising arizona dune . !".split()


@pytest.fixture(scope="module")
def tokenizer():
    """A word a token; if it is asked for special ones, it puts [BOS] in front."""
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(
        {word: number for number, word in enumerate(WORDS)}, unk_token="!"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    inner.post_processor = tokenizers.processors.TemplateProcessing(
        "[BOS] $A", special_tokens=[("[BOS]", 0)])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="[BOS]",
                                                unk_token="!")


def gpt2():
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=len(WORDS), n_positions=32, n_embd=16, n_layer=2, n_head=2, bos_token_id=0,
        eos_token_id=0, initializer_range=0.5))


def llama():
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(
        vocab_size=len(WORDS), hidden_size=16, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=32, initializer_range=0.5))


@pytest.fixture(scope="module", params=[gpt2, llama])
def model(request):
    """Random weights, large enough for words to matter; left in training mode, with dropout."""
    torch.manual_seed(0)
    return request.param().train()


PAIRS = [("fargo was directed by", " the director of raising arizona ."), ("dune was", " fargo"),
         ("", " raising arizona !"), ("the director of dune", " directed the director of dune ."),
         ("", "dune fargo")]


def log_probs(model, words):
    """The log-probability of every token but the first, from one text at a time."""
    ids = [WORDS.index(word) for word in words]
    with torch.inference_mode():
        logits = model.eval()(torch.tensor([ids])).logits[0].double().numpy()
    chance = np.exp(logits)
    chance /= chance.sum(1, keepdims=True)
    return np.log([chance[at, ids[at + 1]] for at in range(len(ids) - 1)])


def by_hand(model, prompt, continuation):
    n = len(continuation.split()) - (not prompt)
    return log_probs(model, (prompt + continuation).split())[-n:].sum(), n


def test_it_is_the_sum_over_the_continuations_tokens(model, tokenizer):
    model.train()
    found = log_likelihood(model, tokenizer, *zip(*PAIRS, strict=True))
    assert list(found) == ["log_prob", "tokens"]
    expected = np.array([by_hand(model, *pair) for pair in PAIRS])
    assert_allclose(found["log_prob"], expected[:, 0], rtol=1e-4)
    assert_array_equal(found["tokens"], [6, 1, 2, 6, 1])
    assert_array_equal(found["tokens"], expected[:, 1])
    assert np.ptp(found["log_prob"] / found["tokens"]) > 0.1  # the weights do say something


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_what_stands_beside_it_changes_nothing(model, tokenizer, batch):
    whole = log_likelihood(model, tokenizer, *zip(*PAIRS, strict=True))
    parts = log_likelihood(model, tokenizer, *zip(*PAIRS, strict=True), batch=batch)
    assert_frame_equal(parts, whole, rtol=1e-4)
    turned = log_likelihood(model, tokenizer, *zip(*PAIRS[::-1], strict=True), batch=batch)
    assert_frame_equal(turned[::-1].reset_index(drop=True), whole, rtol=1e-4)


def test_the_parts_of_a_text_add_up(model, tokenizer):
    """log P(a b c) = log P(a b) + log P(c | a b), with nothing put in front of either."""
    whole, first, rest = log_likelihood(
        model, tokenizer, ["", "", "dune was directed"],
        ["dune was directed by the director", "dune was directed", " by the director"])["log_prob"]
    assert whole == pytest.approx(first + rest, rel=1e-4)


def test_iterators_are_read_once(model, tokenizer):
    found = log_likelihood(model, tokenizer, (p for p, _ in PAIRS), (c for _, c in PAIRS))
    assert_frame_equal(found, log_likelihood(model, tokenizer, *zip(*PAIRS, strict=True)))


def test_perplexity_is_over_all_tokens_of_all_texts(model, tokenizer):
    texts = ["fargo was directed by the director of dune .", "dune fargo", "raising arizona !"]
    each = np.concatenate([log_probs(model, text.split()) for text in texts])
    assert len(each) == 8 + 1 + 2
    assert perplexity(model, tokenizer, texts) == pytest.approx(np.exp(-each.mean()), rel=1e-4)
    assert perplexity(model, tokenizer, iter(texts), batch=1) == pytest.approx(
        np.exp(-each.mean()), rel=1e-4)


def test_of_a_model_that_knows_nothing_it_is_the_number_of_words(tokenizer):
    model = gpt2()
    with torch.no_grad():
        for value in model.parameters():
            value.zero_()
    assert perplexity(model, tokenizer, ["dune was directed by"]) == pytest.approx(len(WORDS))


@pytest.mark.parametrize("pair", [("dune was", ""), ("", ""), ("", "dune")])
def test_a_pair_without_a_probability_is_named(model, tokenizer, pair):
    prompts, continuations = zip(("dune", " was"), pair, strict=True)
    with pytest.raises(ValueError, match=f"pair 1 is '{pair[0]}' and '{pair[1]}': nothing in it"):
        log_likelihood(model, tokenizer, prompts, continuations)


def test_each_prompt_has_a_continuation(model, tokenizer):
    with pytest.raises(ValueError, match="there are 2 prompts and 1 continuations; give one of"):
        log_likelihood(model, tokenizer, ["dune", "fargo"], [" was"])


def test_no_texts_have_no_perplexity(model, tokenizer):
    with pytest.raises(ValueError, match="there are no texts"):
        perplexity(model, tokenizer, [])
    assert len(log_likelihood(model, tokenizer, [], [])) == 0

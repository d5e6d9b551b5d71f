"""Write a tiny Mistral with random weights and a tokenizer of its own: no download, a fraction of a second.

    python make_tiny_model.py FOLDER

It runs in the environment of `vllm.sh` (numpy, tokenizers, safetensors). What such a model writes is noise, so
the server's constrained decoding alone decides whether the answer fits the schema, which is what the tests are
about. Two liberties keep the noise finite: random weights would give every token about the same chance, and a
JSON string would hardly ever meet its closing quote. So one channel of the residual stream is held constant
(nothing writes to it), which turns the matching column of `lm_head` into a bias per token: the logarithm of the
token's frequency in the tokenizer's corpus, raised for tokens that close a string, a list or an object.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

Weights = dict[str, npt.NDArray[np.float32]]

LAYERS = 2
HIDDEN = 64
HEADS = 2
HEAD_DIM = 32  # vLLM's CPU attention dies at the first request with 16
FEED_FORWARD = 128
VOCABULARY = 4096
CONTEXT = 32_768  # room for long prompts: this tokenizer needs several tokens for most words
CONSTANT = 4.0  # value of channel 0 throughout the residual stream
CLOSING_LIFT = 2.0

SPECIAL = ("<unk>", "<s>", "</s>", "[INST]", "[/INST]")
CLOSING = ("}", "]", '"}', '"]', '."}')
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}{{ ' ' + message['content'] + eos_token }}"
    "{% else %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% endif %}{% endfor %}"
)
WORDS = (
    "a and are at by for from has her his in into is of on or she that the their they to when where which with "
    "who garden kitchen market music nurse office river school state street teacher team train travel weekend "
    "work year bakes builds cooks enjoys follows keeps learns plans plays reads repairs runs teaches visits "
    "careful curious friendly local lively old patient quiet practical warm young"
).split()


def corpus(random: np.random.Generator, documents: int = 4000) -> Iterator[str]:
    """Sentences and JSON objects of common words, for the tokenizer's merges and the token frequencies."""
    for _ in range(documents):
        sentences = [
            " ".join(random.choice(WORDS, random.integers(4, 18))).capitalize() + "." for _ in range(4)
        ]
        if random.random() < 0.5:
            yield " ".join(sentences)
        else:
            keys = random.choice(WORDS, 3, replace=False)
            lists = {"list": [sentence.split()[0] for sentence in sentences]}
            yield json.dumps(dict(zip(keys, sentences, strict=False)) | lists)


def tokenizer(documents: list[str]) -> Tokenizer:
    """Byte-level BPE, so that any text, in any script, can be written."""
    made = Tokenizer(models.BPE(unk_token=None))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(documents, trainer)
    return made


def token_bias(tokens: Tokenizer, documents: list[str]) -> npt.NDArray[np.float64]:
    """Log frequency per token, centred; closing tokens lifted, special tokens pushed down."""
    counts = Counter(dict.fromkeys(range(tokens.get_vocab_size()), 1))
    for document in documents:
        counts.update(tokens.encode(document).ids)
    bias = np.log([counts[number] for number in range(tokens.get_vocab_size())])
    for token, number in tokens.get_vocab().items():
        if token.startswith(('"', '."')) or token in CLOSING:
            bias[number] += CLOSING_LIFT
    centred: npt.NDArray[np.float64] = bias - bias.mean()
    centred[[SPECIAL.index(token) for token in SPECIAL if token != "</s>"]] = -20.0
    return centred


def weights(random: np.random.Generator, bias: npt.NDArray[np.float64]) -> Weights:
    """Random normal matrices, apart from the constant channel and the bias that it carries."""

    def matrix(rows: int, columns: int, deviation: float | None = None) -> npt.NDArray[np.float32]:
        return (random.standard_normal((rows, columns)) * (deviation or columns**-0.5)).astype(np.float32)

    vocabulary, attention = len(bias), HEADS * HEAD_DIM
    made: Weights = {"model.embed_tokens.weight": matrix(vocabulary, HIDDEN, 1.0)}
    made["model.embed_tokens.weight"][:, 0] = CONSTANT
    for layer in range(LAYERS):
        name = f"model.layers.{layer}."
        for projection in ("q_proj", "k_proj", "v_proj"):
            made[f"{name}self_attn.{projection}.weight"] = matrix(attention, HIDDEN)
        made[f"{name}self_attn.o_proj.weight"] = matrix(HIDDEN, attention)
        made[f"{name}mlp.gate_proj.weight"] = matrix(FEED_FORWARD, HIDDEN)
        made[f"{name}mlp.up_proj.weight"] = matrix(FEED_FORWARD, HIDDEN)
        made[f"{name}mlp.down_proj.weight"] = matrix(HIDDEN, FEED_FORWARD)
        made[f"{name}self_attn.o_proj.weight"][0] = 0
        made[f"{name}mlp.down_proj.weight"][0] = 0
        made[f"{name}input_layernorm.weight"] = np.ones(HIDDEN, np.float32)
        made[f"{name}post_attention_layernorm.weight"] = np.ones(HIDDEN, np.float32)
    made["model.norm.weight"] = np.ones(HIDDEN, np.float32)
    made["lm_head.weight"] = matrix(vocabulary, HIDDEN, 0.6 * HIDDEN**-0.5)
    # The final RMS norm divides the constant by the typical size of a hidden vector; undo it for the bias.
    typical = ((CONSTANT**2 + (HIDDEN - 1) * (1 + LAYERS)) / HIDDEN) ** 0.5
    made["lm_head.weight"][:, 0] = bias * typical / CONSTANT
    return made


def config(vocabulary: int) -> dict[str, object]:
    """The model's `config.json`."""
    return {
        "architectures": ["MistralForCausalLM"],
        "model_type": "mistral",
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "head_dim": HEAD_DIM,
        "intermediate_size": FEED_FORWARD,
        "vocab_size": vocabulary,
        "max_position_embeddings": CONTEXT,
        "rms_norm_eps": 1e-5,
        "rope_theta": 1e6,
        "hidden_act": "silu",
        "sliding_window": None,
        "tie_word_embeddings": False,
        "torch_dtype": "float32",
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 2,
    }


def main(folder: Path, seed: int = 0) -> None:
    """Write a Hugging Face model folder; `config.json` comes last and says that it is whole."""
    random = np.random.default_rng(seed)
    documents = list(corpus(random))
    tokens = tokenizer(documents)
    folder.mkdir(parents=True, exist_ok=True)
    tokens.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "</s>",
        "model_max_length": CONTEXT,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1))
    made = weights(random, token_bias(tokens, documents))
    save_file(made, str(folder / "model.safetensors"), metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config(tokens.get_vocab_size()), indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

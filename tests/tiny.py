"""Tiny real models for tests: BERT with a word-piece vocabulary, built from a config in well under a second."""

from __future__ import annotations

import json
import shutil
import string
from pathlib import Path

import torch
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.sentence_transformer import modules
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    BertTokenizer,
    MPNetConfig,
    MPNetModel,
    MPNetTokenizer,
)

WORDS = (
    "read write file open close parse json config user login token cache index query chunk rank score train vote "
    "model load save path line name list sort find delete update insert table row column test error return value "
    "def class import self none true false if else for while in not and or the a of to how where what is get set"
)


def vocabulary() -> list[str]:
    """Special tokens, common words, and every ASCII character alone and as a continuation."""
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = string.ascii_lowercase + string.digits
    return [*specials, *WORDS.split(), *letters.replace("a", ""), *string.punctuation, *(f"##{c}" for c in letters)]


def _config(seed: int, num_labels: int) -> BertConfig:
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(vocabulary()),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=512,
        initializer_range=0.2,
    )
    config.num_labels = num_labels
    return config


def _save_tokenizer(directory: Path) -> None:
    vocab = directory / "vocab.txt"
    vocab.write_text("\n".join(vocabulary()), encoding="utf-8")
    BertTokenizer(vocab=str(vocab), model_max_length=512).save_pretrained(directory)
    vocab.unlink(missing_ok=True)


def cross_encoder(directory: Path, *, seed: int = 0, max_length: int = 256, zero_head: bool = False) -> Path:
    """Save a tiny cross-encoder (one label, random weights) as sentence-transformers does; return ``directory``."""
    raw = directory.with_name(f".{directory.name}-raw")
    raw.mkdir(parents=True)
    model = BertForSequenceClassification(_config(seed, num_labels=1))
    if zero_head:
        torch.nn.init.zeros_(model.classifier.weight)
        torch.nn.init.zeros_(model.classifier.bias)
    model.save_pretrained(raw)
    _save_tokenizer(raw)
    CrossEncoder(str(raw), max_length=max_length, device="cpu", local_files_only=True).save_pretrained(str(directory))
    for file in raw.iterdir():
        file.unlink()
    raw.rmdir()
    return directory


def encoder(directory: Path, *, seed: int = 0) -> Path:
    """Save a tiny sentence encoder: 32 dimensions, mean pooling, normalised; return ``directory``."""
    raw = directory.with_name(f".{directory.name}-raw")
    raw.mkdir(parents=True)
    BertModel(_config(seed, num_labels=2)).save_pretrained(raw)
    _save_tokenizer(raw)
    transformer = modules.Transformer(str(raw), max_seq_length=256)
    pooling = modules.Pooling(transformer.get_embedding_dimension(), "mean")
    SentenceTransformer(modules=[transformer, pooling, modules.Normalize()], device="cpu").save_pretrained(
        str(directory)
    )
    for file in raw.iterdir():
        file.unlink()
    raw.rmdir()
    return directory


def mpnet_encoder(directory: Path, *, seed: int = 0, longest: int = 64) -> Path:
    """Save a sentence encoder of another kind, in the plain form: MPNet, 48 dimensions, other words, no token types."""
    torch.manual_seed(seed)
    directory.mkdir(parents=True)
    words = ["<s>", "<pad>", "</s>", "<unk>", *reversed(vocabulary()[5:]), "<mask>"]
    config = MPNetConfig(
        vocab_size=len(words),
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=130,
        initializer_range=0.2,
    )
    MPNetModel(config).save_pretrained(directory)
    numbered = {word: at for at, word in enumerate(words)}
    MPNetTokenizer(vocab=numbered, model_max_length=longest).save_pretrained(directory)
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    named = [
        {"idx": at, "name": str(at), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for at, (path, kind) in enumerate(kinds)
    ]
    (directory / "1_Pooling").mkdir()
    contents: tuple[tuple[str, object], ...] = (
        ("modules.json", named),
        ("sentence_bert_config.json", {"max_seq_length": longest, "do_lower_case": False}),
        ("1_Pooling/config.json", {"word_embedding_dimension": 48, "pooling_mode_mean_tokens": True}),
    )
    for name, content in contents:
        (directory / name).write_text(json.dumps(content))
    return directory


def pooled_cross_encoder(directory: Path, *, seed: int = 0, max_length: int = 256, zero_head: bool = False) -> Path:
    """Save a tiny cross-encoder of the pooled form (transformer, three poolings, linear head); return ``directory``."""
    raw = encoder(directory.with_name(f".{directory.name}-encoder"), seed=seed)
    transformer = modules.Transformer(str(raw), processor_kwargs={"model_max_length": max_length})
    width = transformer.get_embedding_dimension()
    head = modules.Dense(width * 3, 1, activation_function=torch.nn.Identity(), module_output_name="scores")
    if zero_head:
        torch.nn.init.zeros_(head.linear.weight)
        torch.nn.init.zeros_(head.linear.bias)
    stack = [transformer, modules.Pooling(width, ("cls", "max", "mean")), head]
    model: CrossEncoder = CrossEncoder(modules=stack, activation_fn=torch.nn.Identity(), device="cpu")
    model.save_pretrained(str(directory), create_model_card=False)
    shutil.rmtree(raw)
    return directory

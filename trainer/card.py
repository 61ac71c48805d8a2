"""The model card: a complete README.md of a version, with the metadata header that model hubs read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from platform import python_version

from store.registry import VersionDraft
from store.snapshots import Heard
from store.types import SECOND_OPINIONS, Snapshot
from trainer.card_data import data, samples
from trainer.finetune import TrainLog
from trainer.memory import PEAK
from trainer.metrics import STANDARD

_LOG_LINES = 40
_FRAMEWORKS = ("torch", "transformers", "sentence-transformers", "tokenizers", "safetensors", "accelerate", "datasets")
_LOSSES = {
    "head": "ResidualListwiseHead",
    "listwise": "ListwiseLoss",
    "bce": "WeightedBinaryCrossEntropyLoss",
}
_ARMS = {"no_rerank": "no reranking", "base": "base", "champion": "champion", "challenger": "**this version**"}
_EVIDENCE = {
    "held_out": "held-out questions (never trained on)",
    "out_of_fold": "out-of-fold (other judged questions)",
    SECOND_OPINIONS: "second opinions (what one more person said later, trained on what others had said before)",
    "golden": "golden questions",
    "general": "general set (docstring questions)",
    "imported": "lists made of imported passages (they prove nothing)",
}


@dataclass(frozen=True, slots=True)
class Card:
    """All that a card tells."""

    draft: VersionDraft
    snapshot: Snapshot
    heard: Heard
    log: TrainLog
    texts: Mapping[str, str]


def write_card(directory: Path, card: Card) -> None:
    """Write ``README.md`` into a staged model directory."""
    (directory / "README.md").write_text(render(card), encoding="utf-8")


def render(card: Card) -> str:
    """The card as Markdown."""
    parts = (
        _header(card),
        _intro(card),
        data(card.snapshot, card.heard, card.texts),
        samples(card.snapshot.pairs, card.texts),
        _training(card),
        _log_table(card),
        _results(card.draft),
        _engines(card.draft),
        _versions(),
    )
    return "\n\n".join(parts) + "\n"


def _header(card: Card) -> str:
    lines = [
        "---",
        "library_name: sentence-transformers",
        "pipeline_tag: text-ranking",
        "tags:",
        "- sentence-transformers",
        "- cross-encoder",
        "- reranker",
        "- generated_from_trainer",
        f"- dataset_size:{len(card.snapshot.pairs)}",
        f"- loss:{_loss(card)}",
    ]
    if card.draft.base != "residual":
        lines.append(f"base_model: {json.dumps(card.draft.base)}")
    held_out = card.draft.metrics["evidence"].get("held_out", {}).get("challenger")
    if held_out:
        lines += ["model-index:", f"- name: {json.dumps(card.draft.name)}", "  results:"]
        lines += ["  - task:", "      type: text-ranking", "      name: reranking of logged candidate lists"]
        lines += ["    dataset:", "      name: held-out questions", "      type: rankloop", "    metrics:"]
        for name in STANDARD:
            lines += [f"    - type: {json.dumps(name)}", f"      value: {held_out[name]:.6f}"]
    return "\n".join([*lines, "---"])


def _intro(card: Card) -> str:
    draft = card.draft
    blend = draft.blend
    return f"""# {draft.name}

A cross-encoder that reranks code chunks for questions about a team's own code, trained by Rankloop from people's
ratings. It gives one raw logit for a (question, passage) pair, cut to {draft.max_length} tokens.

- Base: `{draft.base}`; compared with champion version {draft.parent_id}
- Dataset snapshot: `{draft.snapshot_hash}`
- Final score: `{blend.dense:g} * dense_score + {blend.lexical:g} * lexical_score + {blend.rerank:g} * rerank_score`

```python
from sentence_transformers import CrossEncoder
from torch.nn import Identity

model = CrossEncoder("path/to/this/folder")
logits = model.predict([("how to read a json file", "def load(path): ...")], activation_fn=Identity())
```"""


def _loss(card: Card) -> str:
    return _LOSSES[card.draft.hyper_parameters["loss"]]


def _fitted(card: Card) -> bool:
    return bool(card.draft.hyper_parameters["loss"] == "head")


def _training(card: Card) -> str:
    log, fitted = card.log, _fitted(card)
    where = "trainer/head.py" if fitted else "trainer/loss.py"
    lines = ["## Training", "", f"Loss: `{_loss(card)}` ({where}). Seed {card.draft.seed}.", ""]
    if fitted:
        lines += ["The transformer is the base's; only the linear head over its pooled states was fitted.", ""]
    lines += ["| hyper-parameter | value |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in card.draft.hyper_parameters.items()]
    how = ["| optimizer | L-BFGS, strong Wolfe |"] if fitted else ["| optimizer | AdamW |", "| schedule | linear |"]
    lines += [*how, f"| precision used | {log.precision} |", ""]
    peak = (
        f"The trainer's process had held {card.draft.metrics[PEAK]:,} MB at most by the end of the evaluation, in this "
        "job or an earlier one."
    )
    if fitted:
        made = f"{log.rows} lists ({log.pairs} pairs): features and {log.steps} iterations in {log.seconds:.1f} s"
        lines.append(f"{made} on {log.device}. Loss went from {log.loss_first:.4f} to {log.loss_last:.4f}.")
        lines += ["", peak]
        return "\n".join(lines)
    made = (
        f"{log.rows} rows an epoch ({log.pairs} pairs), {log.epochs} epochs, {log.steps} steps in {log.seconds:.1f} s "
        f"on {log.device} ({log.seconds_per_step:.3f} s a step)."
    )
    ends = f"{log.loss_first:.4f} (first tenth of the steps)", f"{log.loss_last:.4f} (last tenth)"
    fell = "fell from {} to {}" if log.loss_last < log.loss_first else "did not fall: {}, {}"
    lines += [f"{made} Mean loss {fell.format(*ends)}.", "", peak]
    return "\n".join(lines)


def _log_table(card: Card) -> str:
    """L-BFGS has no learning rate: its line search chooses each step's length."""
    log, rate = card.log, "step length (line search)" if _fitted(card) else "learning rate"
    lines = ["### Training log", "", f"| step | epoch | loss | {rate} | pairs/s |", "|---:|---:|---:|---:|---:|"]
    every = max(1, -(-len(log.table) // _LOG_LINES))
    kept = [*log.table[::every], *([log.table[-1]] if (len(log.table) - 1) % every else [])]
    lines += [
        f"| {line.step} | {line.epoch:.2f} | {line.loss:.4f} | {line.learning_rate:.2e} | {line.pairs_per_second:.1f} |"
        for line in kept
    ]
    return "\n".join(lines)


def _results(draft: VersionDraft) -> str:
    lines = ["## Evaluation", "", f"Decision of the gate: **{draft.decision}**", ""]
    lines += [f"- {reason}" for reason in draft.reasons]
    for evidence, arms in draft.metrics["evidence"].items():
        size = next(iter(arms.values()))["queries"]
        lines += ["", f"### {_EVIDENCE[evidence][0].upper()}{_EVIDENCE[evidence][1:]}: {size}", ""]
        lines += [f"| | {' | '.join(STANDARD)} |", f"|---|{'---:|' * len(STANDARD)}"]
        for arm, name in _ARMS.items():
            if arm in arms:
                lines.append(f"| {name} | {' | '.join(f'{arms[arm][metric]:.4f}' for metric in STANDARD)} |")
    lines += [f"- {note}" for note in draft.metrics.get("notes", [])]
    return "\n".join(lines)


def _engines(draft: VersionDraft) -> str:
    if not draft.metrics.get("engines"):
        return "## Engines\n\nServed by torch in float32 alone."
    lines = [
        "## Engines",
        "",
        "Judged in float32. May also be served by, as measured on its evaluation lists (on none: on probes alone):",
    ]
    lines += [
        "",
        "| engine | lists | largest difference of a logit | Kendall's tau of the order | ndcg@10 difference |",
    ]
    lines.append("|---|---:|---:|---:|---:|")
    for name, on in draft.metrics.get("engines", {}).items():
        order = [f"{on[figure]:.4f}" if figure in on else "–" for figure in ("kendall_tau", "ndcg@10_difference")]
        lines.append(f"| {name} | {on['lists']} | {on['largest_difference']:.2g} | {' | '.join(order)} |")
    return "\n".join(lines)


def _versions() -> str:
    lines = ["## Framework versions", "", f"- Python: {python_version()}"]
    return "\n".join([*lines, *(f"- {name}: {metadata.version(name)}" for name in _FRAMEWORKS)])

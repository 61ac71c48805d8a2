"""The part of the model card that tells what went in: counts, signals, samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from store.bursts import Fate
from store.snapshots import Heard
from store.types import Json, Pair, PairSource, Snapshot

SAMPLES = 6
_EXCERPT = 160
_FATES = {
    Fate.HELD: "held back, so they are not in",
    Fate.RELEASED: "released by a person, so they are in",
    Fate.LEFT_OUT: "left out by a person",
}


def trained_part(snapshot: Snapshot, pairs: tuple[Pair, ...]) -> tuple[Snapshot, tuple[str, ...]]:
    """The snapshot as far as it was trained on, for the card, and a sentence that says what was left out of it."""
    asked = len({pair.group_id for pair in pairs if pair.source is PairSource.CODE_QUESTION})
    left = len({pair.group_id for pair in snapshot.pairs if pair.source is PairSource.CODE_QUESTION}) - asked
    if left == 0:
        return snapshot, ()
    note = (
        f"{left} docstring questions ({len(snapshot.pairs) - len(pairs)} pairs) of the data set were not trained on: "
        "only a head that is fitted alone learns from them."
    )
    return replace(snapshot, pairs=pairs, stats={**snapshot.stats, "code_questions": asked}), (note,)


def data(snapshot: Snapshot, heard: Heard, texts: Mapping[str, str]) -> str:
    """What a version was trained on, as Markdown. ``texts``: content hash → text."""
    pairs, stats = snapshot.pairs, snapshot.stats
    lines = ["## Training data", "", f"{len(pairs)} pairs of {len({pair.query for pair in pairs})} questions."]
    lines += ["", "| source | pairs | mean weight |", "|---|---:|---:|"]
    for source, number in sorted(Counter(pair.source for pair in pairs).items()):
        mean = fmean(pair.weight for pair in pairs if pair.source == source)
        lines.append(f"| {source.replace('_', ' ')} | {number} | {mean:.3f} |")
    lines += ["", "| | questions (characters) | passages (characters) | label |", "|---|---:|---:|---:|"]
    queries = [len(pair.query) for pair in pairs]
    passages = [len(texts[pair.content_hash]) for pair in pairs if pair.content_hash in texts]
    labels = [pair.label for pair in pairs]
    for name, of in (("min", min), ("mean", fmean), ("max", max)):
        lines.append(f"| {name} | {_stat(of, queries)} | {_stat(of, passages)} | {_stat(of, labels)} |")
    lines += ["", *_heard(heard), "", "Ratings and lists that went in:", "", *_counts(stats)]
    return "\n".join(lines)


def _heard(heard: Heard) -> list[str]:
    """Which signals the judgments were made from."""
    if heard.ids is None or heard.days is None:
        return ["No rating by a person went in."]
    (first, last), (earliest, latest) = heard.ids, heard.days
    said = f"{heard.signals} signals of people went in: numbers {first} to {last}, not all between them,"
    if heard.signals == last - first + 1:
        said = f"{heard.signals} signals of people went in: numbers {first} to {last},"
    return [
        f"{said} given from {earliest:%Y-%m-%d %H:%M} to {latest:%Y-%m-%d %H:%M} UTC.",
        "",
        "| signal | number |",
        "|---|---:|",
        *(f"| {kind.replace('_', ' ')} | {number} |" for kind, number in heard.kinds.items()),
    ]


def _stat(of: Callable[[Sequence[float]], float], values: Sequence[float]) -> str:
    return f"{float(of(values)):.2f}".rstrip("0").rstrip(".") if values else "–"


def _counts(stats: Json) -> list[str]:
    shown = []
    for key, value in stats.items():
        if key in ("strong_groups", "imported_lists", "missing"):
            continue
        if key == "held_back":
            shown += [f"- {_burst(burst)}" for burst in value]
            continue
        inner = ", ".join(f"{name}: {count}" for name, count in value.items()) if isinstance(value, dict) else value
        shown.append(f"- {key.replace('_', ' ')}: {inner if inner not in ('', []) else 'none'}")
    return shown + [f"- missing: {sentence}" for sentence in stats.get("missing", [])]


def _burst(burst: Json) -> str:
    """What became of ratings that were too many at once."""
    who = _cell(burst["account"])
    numbers = f"signals {burst['first_signal']} to {burst['last_signal']}"
    return f"{burst['signals']} ratings of {who} within minutes ({numbers}): {_FATES[Fate(burst['fate'])]}"


def samples(pairs: Sequence[Pair], texts: Mapping[str, str]) -> str:
    """A few pairs with the reason each exists, as Markdown."""
    lines = ["### Samples", "", "| question | passage | label | weight | source | why |", "|---|---|---:|---:|---|---|"]
    for pair in _spread(pairs):
        cells = (
            _cell(pair.query),
            f"`{_cell(texts.get(pair.content_hash, '(text missing)'))}`",
            f"{pair.label:g}",
            f"{pair.weight:.3g}",
            pair.source.replace("_", " "),
            _cell(pair.reason),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _spread(pairs: Sequence[Pair]) -> list[Pair]:
    positives = [pair for pair in pairs if pair.label > 0.5][: SAMPLES // 2]
    negatives = [pair for pair in pairs if pair.label <= 0.5][: SAMPLES - len(positives)]
    return [*positives, *negatives]


def _cell(text: str) -> str:
    flat = " ".join(text.split()).replace("|", "\\|").replace("`", "'").replace("<", "&lt;")
    return flat if len(flat) <= _EXCERPT else flat[: _EXCERPT - 1] + "…"

"""Imported pairs of the predecessor's two sizes: ``python -m bench.loop.imports``.

45 pairs (9 right, 36 wrong; 1 epoch) and 17,561 (3 epochs), both by the seed recipe in batches of 16, made of the
docstrings and functions of installed packages, imported with ``rankloop pairs import`` and trained on by the nightly
job over HTTP. What counts: the job ends, the loss falls, the card is complete, and nothing is called proven.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.corpus import functions_of
from bench.harness import Served, served
from bench.loop.__main__ import SEED, machine
from bench.loop.cells import RESULTS
from bench.loop.report import between
from bench.loop.world import QUIET
from rankloop.client import Client
from server.schemas.jobs import JobView
from store.errors import RankloopError
from store.settings import process_environment

BEGIN, END = "<!-- imports: begin -->", "<!-- imports: end -->"
WORK = Path("bench/out/imports")
PACKAGES = ("sqlalchemy", "sklearn", "networkx", "torch")
LONGEST = 600
"""Characters of a function: the time of a step goes by length, and this is about docstring data, not about speed."""
WRONG = 4
"""Wrong functions beside each right one, as in the predecessor's files."""
SIZES = (45, 17_561)
HEADINGS = ("Training data", "Training", "Evaluation", "Engines", "Framework versions")
PROJECTED_AT = 50
"""Step whose projection is kept beside what training took."""
_JOB_S = 6 * 3600.0

Row = tuple[str, str, float]


@dataclass(frozen=True, slots=True)
class Import:
    """One size. Losses are means of a tenth of the steps."""

    pairs: int
    decision: str | None
    reasons: tuple[str, ...]
    trained_pairs: int
    """Without the questions that were held out."""
    epochs: int
    steps: int
    seconds: float
    projected: float | None
    """Seconds of training, as told at step ``PROJECTED_AT``."""
    job_seconds: float
    precision: str
    losses: tuple[float, ...]
    """Of each tenth of the steps."""
    mrr: dict[str, float]
    """arm → mrr@10 on lists of held-out imported passages."""
    card_misses: tuple[str, ...]
    """Headings that the card lacks."""
    made: dict[str, object]

    @property
    def falls(self) -> bool:
        return self.losses[-1] < self.losses[0]


def rows_of(size: int, seed: int, packages: Sequence[str] = PACKAGES) -> list[Row]:
    """``size`` rows: each question's own function, then four others at random. Raises RankloopError for too few."""
    rng = random.Random(seed)
    folder = Path(sysconfig.get_path("purelib"))
    by_question: dict[str, str] = {}
    for package in packages:
        for question, code in functions_of(folder / package):
            if question is not None and len(code) <= LONGEST:
                by_question.setdefault(question, code)
    questions = sorted(by_question)
    needed = -(-size // (1 + WRONG))
    if len(questions) < max(needed, WRONG + 1):
        raise RankloopError(f"{len(questions)} functions say in a sentence what they do; {needed} are needed")
    rng.shuffle(questions)
    codes = sorted(set(by_question.values()))
    rows: list[Row] = []
    for question in questions[:needed]:
        right = by_question[question]
        others = [code for code in rng.sample(codes, WRONG + 1) if code != right][:WRONG]
        rows += [(question, right, 1.0), *((question, other, 0.0) for other in others)]
    return rows[:size]


def import_file(data: Path, rows: Sequence[Row]) -> str:
    """Write the file, import it with the command people use, and give its batch."""
    file = data.parent / f"{data.name}.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("sentence_0", "sentence_1", "label"))
        writer.writerows(rows)
    command = [sys.executable, "-m", "rankloop", "pairs", "import", str(file)]
    environment = process_environment({"RANKLOOP_DATA": str(data), "COLUMNS": "200"})
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    found = re.search(r"--pairs (\w+)", done.stdout)
    if done.returncode or found is None:
        raise RankloopError(f"rankloop pairs import ended with {done.returncode}: {done.stderr[-500:]}")
    return found.group(1)


def one(size: int, work: Path, seed: int) -> Import:
    """Import, train, read what came of it."""
    data = work / f"pairs-{size}"
    shutil.rmtree(data, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    batch = import_file(data, rows_of(size, seed))
    with served(data, work / f"pairs-{size}.log", QUIET) as server:
        admin = server.client("bench", admin=True)
        alone = {} if size == SIZES[0] else {"pairs_batch": batch}  # a file alone is read thrice, beside ratings once
        started = admin.start_job("nightly", recipe="seed", seed=seed, **alone)
        job = admin.wait(started, _JOB_S)
        return read(size, server, job, [line for line in told(admin, started) if "loss" in line])


def told(admin: Client, job_id: int) -> list[dict[str, Any]]:
    """All that a job reported, in order: the call gives it in pages."""
    lines: list[dict[str, Any]] = []
    after = 0
    while page := admin.call("GET", f"/api/admin/jobs/{job_id}/events?stream=false&after={after}")["events"]:
        lines += [line["data"] for line in page]
        after = page[-1]["id"]
    return lines


def tenths(losses: Sequence[float]) -> tuple[float, ...]:
    """Means of ten equal parts in order, of fewer losses each for itself."""
    parts = np.array_split(np.asarray(losses, dtype=float), min(10, len(losses)))
    return tuple(float(part.mean()) for part in parts)


def read(size: int, server: Served, job: JobView, steps: Sequence[dict[str, Any]]) -> Import:
    """Raises RankloopError unless the job succeeded with a version."""
    result = job.result or {}
    version = result.get("version")
    if version is None or job.finished_at is None or job.started_at is None:
        raise RankloopError(f"no version of {size} pairs: {job.state} {job.error or result.get('reasons')}")
    detail = server.client("bench", admin=True).model(version)
    training = detail.metrics["training"]
    card = next((server.data / "models").glob(f"v{version:04d}-*/README.md")).read_text(encoding="utf-8")
    imported = detail.metrics.get("evidence", {}).get("imported", {})
    early = next((line for line in steps if line["step"] >= PROJECTED_AT), None)
    return Import(
        pairs=size,
        decision=result.get("decision"),
        reasons=tuple(result.get("reasons") or ()),
        trained_pairs=int(training["pairs"]),
        epochs=int(training["epochs"]),
        steps=int(training["steps"]),
        seconds=float(training["seconds"]),
        projected=None if early is None else early["seconds_left"] * early["steps"] / (early["steps"] - early["step"]),
        job_seconds=(job.finished_at - job.started_at).total_seconds(),
        precision=str(training["precision"]),
        losses=tenths([float(line["loss"]) for line in steps]),
        mrr={arm: found["mrr@10"] for arm, found in imported.items()},
        card_misses=tuple(name for name in HEADINGS if f"## {name}\n" not in card),
        made=machine(),
    )


def summary(found: Sequence[Import]) -> str:
    """Markdown."""
    lines = [
        "| pairs | trained on | epochs | steps | s a step | projected at step "
        f"{PROJECTED_AT} | training | job | loss, first to last tenth | mrr@10 held out (no reranking) | decision "
        "| card |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in found:
        projected = "–" if row.projected is None else _minutes(row.projected)
        card = f"lacks {', '.join(row.card_misses)}" if row.card_misses else "complete"
        lines.append(
            f"| {row.pairs:,} | {row.trained_pairs:,} | {row.epochs} | {row.steps:,} | {row.seconds / row.steps:.3f} "
            f"| {projected} | {_minutes(row.seconds)} ({row.precision}) | {_minutes(row.job_seconds)} "
            f"| {row.losses[0]:.3f} to {row.losses[-1]:.3f}{'' if row.falls else ' (does not fall)'} "
            f"| {row.mrr['challenger']:.3f} ({row.mrr['no_rerank']:.3f}) | {row.decision} | {card} |"
        )
    return "\n".join(lines)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="where loop.md is")
    parser.add_argument("--pairs", type=int, nargs="*", default=SIZES)
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    found: list[Import] = []
    for size in args.pairs:
        file = args.results / f"imports{size}.json"
        if not file.exists():
            made = one(size, args.work, args.seed)
            file.write_text(json.dumps(asdict(made), indent=1) + "\n", encoding="utf-8")
        raw: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        lists = {name: tuple(raw[name]) for name in ("reasons", "losses", "card_misses")}
        found.append(Import(**{**raw, **lists}))
    between(args.docs / "loop.md", BEGIN, END, summary(found))
    print(summary(found))


if __name__ == "__main__":
    main()

"""The whole loop on real code, through the public HTTP calls only.

    make demo-loop                              # corpus made from installed packages
    make demo-loop CORPUS=../shared/data/cosqa  # real queries

Index → ask → rate → nightly job → gate → promote under traffic → better ranking → roll back.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import corpus as corpora
from bench.harness import Served, served
from bench.traffic import Traffic
from rankloop.client import Client
from server.schemas.asking import SearchResult, Source
from server.schemas.jobs import JobView
from server.schemas.versions import DeploymentView
from store import manifest
from store.engines.names import TORCH
from store.types import JobState, Json

FUNCTIONS, QUESTIONS = 2000, 300
PATIENCE_S = 3600.0
REVIEWER = "demo-reviewer"

console = Console(highlight=False)


def step(text: str) -> None:
    console.print(f"\n[bold]▸ {text}[/bold]")


# --- one person ----------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """What the person did."""

    thumbs_up: int = 0
    thumbs_down: int = 0
    votes: int = 0
    corrections: int = 0
    gave_up: int = 0


def rate_as_labelled(client: Client, question: corpora.Question, repo: str, tally: Tally) -> None:
    """Ask, then rate as the label says: thumb by the cited sources, votes on sources, else a correction."""
    answer = client.answer(question.query, repo=repo)
    assert answer.answer_id is not None
    right = [s for s in answer.sources if s.path in question.relevant]
    if any(s.n in answer.citations for s in right):
        client.rate(answer.answer_id, thumb="up")
        tally.thumbs_up += 1
    else:
        client.rate(answer.answer_id, thumb="down")
        tally.thumbs_down += 1
    if right:
        _vote(client, answer.answer_id, right, answer.sources, tally)
    else:
        _correct(client, answer.answer_id, question, repo, tally)


def _vote(client: Client, answer_id: str, right: list[Source], sources: list[Source], tally: Tally) -> None:
    for source in right[:1]:
        client.rate_chunk(answer_id, source.chunk_id, True)
        tally.votes += 1
    above = [s for s in sources if s.rank < right[0].rank and s.path not in {r.path for r in right}]
    for source in above[:2]:
        client.rate_chunk(answer_id, source.chunk_id, False)
        tally.votes += 1


def _correct(client: Client, answer_id: str, question: corpora.Question, repo: str, tally: Tally) -> None:
    """The person digs deeper: a longer list of the same search, as anyone does who knows that it must be there."""
    found = client.search(question.query, repo=repo, top_k=100, depth=100, test=True)
    for result in found.results:
        if result.path in question.relevant:
            client.correct(answer_id, result.chunk_id)
            tally.corrections += 1
            return
    tally.gave_up += 1


# --- measuring over HTTP --------------------------------------------------------------------


def mrr_at_10(results: SearchResult, relevant: frozenset[str]) -> float:
    return next((1.0 / r.rank for r in results.results if r.path in relevant), 0.0)


def measure(client: Client, questions: list[corpora.Question], repo: str) -> float:
    """Mean reciprocal rank of the first ten over the questions, asked without being logged."""
    scores = [mrr_at_10(client.search(q.query, repo=repo, top_k=10, test=True), q.relevant) for q in questions]
    return sum(scores) / len(scores)


def print_decision(result: Json) -> None:
    for evidence, arms in (result.get("metrics") or {}).items():
        if not isinstance(arms, dict) or not arms or not all(isinstance(v, dict) for v in arms.values()):
            continue
        names = [n for n in ("mrr@10", "ndcg@10", "recall@10", "queries") if any(n in v for v in arms.values())]
        table = Table("", *names, title=evidence.replace("_", " "), title_justify="left")
        for arm, values in arms.items():
            cells = [values.get(n) for n in names]
            table.add_row(arm.replace("_", " "), *(f"{c:.4f}" if isinstance(c, float) else str(c) for c in cells))
        console.print(table)
    console.print(f"  decision: [bold]{result.get('decision')}[/bold]")
    for reason in result.get("reasons") or []:
        console.print(f"    • {reason}", markup=False)


def check_plain_loading(server: Served, version: int, question: str, repo: str) -> None:
    """The version's directory in a plain ``CrossEncoder`` must give the logits that the server gave.

    To 1e-4 where torch serves, to the manifest's tolerance where another engine does.
    """
    from sentence_transformers import CrossEncoder
    from torch.nn import Identity

    found = server.client().search(question, repo=repo, top_k=20, test=True)
    assert found.model_version == version
    directory = next(p for p in (server.data / "models").iterdir() if (p / "rankloop.json").exists())
    model = CrossEncoder(str(directory))
    logits = model.predict([(question, r.text) for r in found.results], activation_fn=Identity())
    served_logits = [r.rerank_score for r in found.results]
    worst = max(abs(float(a) - b) for a, b in zip(logits, served_logits, strict=True) if b is not None)
    name = server.client().call("GET", "/readyz")["engine"]
    engine = next(one for one in manifest.read(directory).engines if one.name == name)
    allowed = 1e-4 if name == TORCH else engine.tolerance * max(1.0, *(abs(float(logit)) for logit in logits))
    console.print(
        f"  plain CrossEncoder(path) against logits served by {name}, {len(logits)} chunks: "
        f"largest difference {worst:.1e}, allowed {allowed:.1e}"
    )
    if worst > allowed:
        raise SystemExit("the served logits differ from the plain library's")


# --- the demonstration ------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="folder with corpus.jsonl and queries-dev.jsonl")
    parser.add_argument("--ask", type=int, default=150, help="how many questions are asked and rated")
    parser.add_argument("--functions", type=int, default=FUNCTIONS, help="size of the corpus made from packages")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    step("Corpus")
    corpus = corpora.load(args.corpus) if args.corpus else corpora.from_packages(args.functions, QUESTIONS, args.seed)
    console.print(f"  {corpus.name}: {len(corpus.code):,} functions, {len(corpus.questions):,} questions")
    with tempfile.TemporaryDirectory(prefix="rankloop-demo-") as scratch:
        root = Path(scratch)
        corpus.write(root / "code")
        settings = {"RANKLOOP_AUTO_PROMOTE": "false"}
        with served(root / "data", root / "server.log", settings) as server:
            run(server, corpus, root / "code", args.ask)


@dataclass(frozen=True, slots=True)
class Demo:
    """The demonstration's people and what they talk about."""

    server: Served
    corpus: corpora.Corpus
    asked: list[corpora.Question]
    unseen: list[corpora.Question]
    admin: Client
    person: Client

    @property
    def repo(self) -> str:
        return self.corpus.name

    def index(self, code: Path) -> None:
        began = time.monotonic()
        job = self.admin.wait(self.admin.add_repo(self.repo, str(code)).job_id, PATIENCE_S, _say)
        _expect(job)
        console.print(f"  {(job.result or {}).get('chunks'):,} chunks in {time.monotonic() - began:.0f} s")

    def rate(self) -> None:
        tally = Tally()
        for question in self.asked:
            rate_as_labelled(self.person, question, self.repo, tally)
        console.print(
            f"  {tally.thumbs_up} thumbs up, {tally.thumbs_down} down, {tally.votes} votes on chunks, "
            f"{tally.corrections} corrections, {tally.gave_up} not found at all"
        )

    def learn(self) -> tuple[int, str]:
        """Run the nightly job: the new version and the gate's decision."""
        began = time.monotonic()
        job = self.admin.wait(self.admin.start_job("nightly"), PATIENCE_S, _say)
        _expect(job)
        result = job.result or {}
        console.print(f"  took {time.monotonic() - began:.0f} s")
        print_decision(result)
        version = result.get("version")
        if version is None:
            raise SystemExit("the job made no version")
        weight = self.admin.model(version).blend.rerank
        console.print(f"  version {version}: weight of rerank_score {weight}")
        return version, str(result.get("decision"))

    def measure(self) -> tuple[float, float]:
        """mrr@10 of the questions never asked, and of those asked and rated."""
        return measure(self.person, self.unseen, self.repo), measure(self.person, self.asked, self.repo)

    def promote(self, version: int, decision: str) -> bool:
        """Promote under traffic: whether the swap was clean."""
        with self._traffic() as traffic:
            reason = f"demonstration: the gate says {decision}"
            entry = self.admin.promote(version, reason, force=decision != "promote")
            traffic.until_served_by(version)
        console.print(f"  ledger: {entry.from_version} → {entry.to_version}, forced: {entry.forced}, “{entry.reason}”")
        clean = _report(traffic, entry)
        check_plain_loading(self.server, version, self.asked[0].query, self.repo)
        return clean

    def roll_back(self) -> bool:
        """Roll back under traffic: whether the swap was clean."""
        with self._traffic() as traffic:
            entry = self.admin.rollback("demonstration: undo")
            traffic.until_served_by(entry.to_version)
        console.print(f"  ledger: {entry.from_version} → {entry.to_version}, “{entry.reason}”")
        return _report(traffic, entry)

    def _traffic(self) -> Traffic:
        return Traffic(self.server.url, [question.query for question in self.asked], self.repo)


def run(server: Served, corpus: corpora.Corpus, code: Path, ask: int) -> None:
    asked, unseen = list(corpus.questions[:ask]), list(corpus.questions[ask:])[:150]
    admin, person = server.client(REVIEWER, admin=True), server.client("demo-person")
    demo = Demo(server, corpus, asked, unseen, admin, person)
    step("Index")
    demo.index(code)
    step(f"Ask and rate {len(asked)} questions")
    before = demo.measure()
    demo.rate()
    step("Nightly job")
    version, decision = demo.learn()
    step(f"Promote version {version} while people search")
    swapped = demo.promote(version, decision)
    step("Ask again")
    after = demo.measure()
    table = Table("mrr@10 over HTTP", "before", "after", "change")
    for name, old, new in zip(("questions never asked", "questions asked and rated"), before, after, strict=True):
        table.add_row(name, f"{old:.4f}", f"{new:.4f}", f"{(new - old) / old:+.1%}")
    console.print(table)
    step("Roll back while people search")
    returned = demo.roll_back()
    again = demo.measure()
    console.print(f"  mrr@10 as before: {again == before}")
    if not (swapped and returned):
        raise SystemExit("the swap was not clean: see above")
    if again != before:
        raise SystemExit("after rolling back, search does not rank as it did before")
    console.print("\n[bold green]The loop closes.[/bold green]")


def _report(traffic: Traffic, entry: DeploymentView) -> bool:
    clean, said = traffic.report(entry.from_version or 0, entry.to_version)
    console.print(f"  {said}")
    return clean


def _say(job: JobView) -> None:
    console.print(f"  {job.kind} job: {job.stage or job.state} {job.progress:.0%}", style="dim")


def _expect(job: JobView) -> None:
    if job.state is not JobState.SUCCEEDED:
        raise SystemExit(f"job {job.id} ended as {job.state}: {job.error}")


if __name__ == "__main__":
    main()

"""One night's worth of people: they ask, look, click, rate and correct through the HTTP calls, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bench.corpus import Question
from bench.harness import Served
from bench.loop.person import SEARCHED, SHOWN, Acts, Model, Seen, decide, person_of
from bench.loop.world import REPO
from rankloop.client import Client


@dataclass(slots=True)
class Tally:
    """What people did."""

    asked: int = 0
    clicks: int = 0
    thumbs_up: int = 0
    thumbs_down: int = 0
    stars: int = 0
    votes_for: int = 0
    votes_against: int = 0
    corrections: int = 0
    wrong: int = 0
    """Votes for a source that is not the right one."""

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def ask_and_rate(server: Served, questions: Sequence[Question], model: Model, seed: int, night: int = 1) -> Tally:
    """Each question asked once by one of the people of that night, and rated as the model says."""
    tally = Tally()
    clients: dict[str, Client] = {}
    for question in questions:
        name, rng = person_of(question.query, seed, night)
        client = clients.setdefault(name, server.client(name))
        answer = client.answer(question.query, repo=REPO, top_k=SHOWN)
        assert answer.answer_id is not None
        seen = [Seen(s.chunk_id, s.path in question.relevant, s.n in answer.citations) for s in answer.sources]
        acts = decide(seen, model, rng)
        _send(client, answer.answer_id, acts, tally)
        tally.asked += 1
        right = {source.chunk_id for source in seen if source.right}
        tally.wrong += sum(relevant and chunk not in right for chunk, relevant in acts.votes)
        if acts.search:
            _correct(client, answer.answer_id, question, tally)
    for client in clients.values():
        client.close()
    return tally


def _send(client: Client, answer_id: str, acts: Acts, tally: Tally) -> None:
    for chunk_id in acts.clicks:
        client.event(answer_id, "click", chunk_id)
        tally.clicks += 1
    for chunk_id, relevant in acts.votes:
        client.rate_chunk(answer_id, chunk_id, relevant)
        tally.votes_for += relevant
        tally.votes_against += not relevant
    if acts.thumb is not None:
        client.rate(answer_id, thumb=acts.thumb)
        tally.thumbs_up += acts.thumb == "up"
        tally.thumbs_down += acts.thumb == "down"
    if acts.stars is not None:
        client.rate(answer_id, stars=acts.stars)
        tally.stars += 1


def _correct(client: Client, answer_id: str, question: Question, tally: Tally) -> None:
    found = client.search(question.query, repo=REPO, top_k=SEARCHED, test=True)
    right = next((one.chunk_id for one in found.results if one.path in question.relevant), None)
    if right is not None:
        client.correct(answer_id, right)
        tally.corrections += 1


def tell_the_truth(server: Served, questions: Sequence[Question]) -> Tally:
    """The oracle: every question is answered with a correction that names the right place, wherever it ranks.

    A place outside the searched list can't be named over HTTP, and such a question stays without a label.
    """
    tally = Tally()
    with server.client("oracle") as client:
        for question in questions:
            answer = client.answer(question.query, repo=REPO, top_k=SHOWN)
            assert answer.answer_id is not None
            shown = next((source.chunk_id for source in answer.sources if source.path in question.relevant), None)
            if shown is None:
                _correct(client, answer.answer_id, question, tally)
            else:
                client.correct(answer.answer_id, shown)
                tally.corrections += 1
            tally.asked += 1
    return tally

"""What the model card says went in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from store.snapshots import Heard, make
from store.types import Json, Pair, PairSource
from trainer.approach import FineTuning, Task
from trainer.base import Base
from trainer.card_data import data, trained_part
from trainer.field import Field
from trainer.recipe import LISTWISE

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PAIRS = [Pair(1, "q", "h1", 1.0, 1.0, PairSource.CHUNK_VOTE), Pair(1, "q", "h2", 0.0, 0.5, PairSource.HARD_NEGATIVE)]
BURST = {"signals": 400, "first_signal": 7, "last_signal": 500, "decision": None}


def told(heard: Heard, stats: Json) -> str:
    return data(make(PAIRS, [], [], {}, stats, NOW), heard, {"h1": "text", "h2": "longer text"})


def test_docstring_questions_that_fine_tuning_leaves_out_are_not_told_as_training_data() -> None:
    code = [Pair(-1, "docstring", f"h{at}", float(at == 1), 0.3, PairSource.CODE_QUESTION) for at in (1, 2)]
    snapshot = make([*PAIRS, *code], [], [], {}, {"code_questions": 1}, NOW)
    field = Field((), (), (), (), {}, frozenset(), ())
    base = Base("other", Path("base"), residual=False)
    parts = (base, snapshot.pairs, field, LISTWISE, 0, 0.1, 64, False, Path, lambda: False)
    left, notes = trained_part(snapshot, FineTuning(Task(*parts), LISTWISE).pairs)
    card = data(left, Heard(0, {}, None, None), {})
    assert "2 pairs of 1 questions." in card
    assert "| code question |" not in card
    assert "- code questions: 0" in card
    (note,) = notes
    assert note.startswith("1 docstring questions (2 pairs) of the data set were not trained on")
    assert trained_part(snapshot, snapshot.pairs) == (snapshot, ())
    assert "| code question | 2 |" in data(snapshot, Heard(0, {}, None, None), {})


def test_the_signals_that_went_in_are_numbered_dated_and_counted_by_kind() -> None:
    heard = Heard(3, {"chunk_vote": 2, "thumb": 1}, (4, 9), (datetime(2026, 2, 1, 8, 30, tzinfo=UTC), NOW))
    card = told(heard, {})
    assert "3 signals of people went in: numbers 4 to 9, not all between them, given from 2026-02-01 08:30" in card
    assert "| chunk vote | 2 |\n| thumb | 1 |" in card
    assert "not all" not in told(Heard(2, {"thumb": 2}, (4, 5), (NOW, NOW)), {})
    assert "No rating by a person went in." in told(Heard(0, {}, None, None), {})


def test_ratings_that_were_held_back_are_told_in_words() -> None:
    fates = [{**BURST, "account": f"person {fate}", "fate": fate} for fate in ("held", "released", "left_out")]
    card = told(Heard(0, {}, None, None), {"queries": 5, "held_back": fates, "golden_lost": []})
    assert "- 400 ratings of person held within minutes (signals 7 to 500): held back, so they are not in" in card
    assert "(signals 7 to 500): released by a person, so they are in" in card
    assert "(signals 7 to 500): left out by a person" in card
    assert "{" not in card
    assert "- queries: 5" in card
    assert "held back" not in told(Heard(0, {}, None, None), {"held_back": []})

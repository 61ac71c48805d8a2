from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from store import chunks, lexical, repos, texts
from store.database import Database
from store.errors import InvalidInput, NotFound
from store.types import Vector
from tests.integration.store.code import NOW, add_answer, add_chunks, draft

LATER = NOW + timedelta(hours=1)
ONE = "def one():\n    return 1"
TWO = "def two():\n    return 2"
THREE = "def three():\n    return 3"


def unit(*values: float) -> Vector:
    vector = np.array(values, dtype=np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def test_a_new_file_is_stored_and_found(db: Database) -> None:
    with db.write() as tx:
        repos.add(tx, "shop", "/code/shop", NOW)
        drafts = [draft("a.py", 1, "one", ONE), draft("a.py", 4, "two", TWO)]
        replaced = chunks.replace_file(tx, "shop", "a.py", drafts, NOW)
    assert len(replaced.added) == 2
    assert replaced.kept == replaced.retired == ()
    with db.read() as tx:
        first = chunks.one(tx, replaced.added[0])
        assert (first.repo, first.path, first.symbol, first.start_line, first.end_line) == ("shop", "a.py", "one", 1, 2)
        assert (first.text, first.content_hash) == (ONE, texts.content_hash(ONE))
        assert [c.symbol for c in chunks.in_file(tx, "shop", "a.py")] == ["one", "two"]
        assert chunks.count(tx) == chunks.count(tx, "shop") == 2
        assert chunks.count(tx, "other") == 0


def test_ids_come_in_the_order_of_the_drafts(db: Database) -> None:
    """Texts and lexical entries are matched to ids by position, so a swap would mislabel code."""
    with db.write() as tx:
        found = add_chunks(tx, 700)
    assert [chunk.symbol for chunk in found] == [f"fn_{n}" for n in range(700)]
    with db.read() as tx:
        for number in (0, 350, 699):
            assert lexical.search(tx, f"fn_{number}", None, 1)[0][0] == found[number].id


def test_an_edit_keeps_what_is_unchanged_and_retires_what_is_gone(db: Database) -> None:
    with db.write() as tx:
        repos.add(tx, "shop", "/code/shop", NOW)
        old = chunks.replace_file(
            tx, "shop", "a.py", [draft("a.py", 1, "one", ONE), draft("a.py", 4, "two", TWO)], NOW
        ).added
        new = chunks.replace_file(
            tx, "shop", "a.py", [draft("a.py", 1, "three", THREE), draft("a.py", 9, "two", TWO)], LATER
        )
        assert (new.kept, new.retired) == ((old[1],), (old[0],))
        assert chunks.one(tx, old[1]).start_line == 9
        assert chunks.is_live(tx, old[1])
        assert not chunks.is_live(tx, old[0])
        assert chunks.one(tx, old[0]).text == ONE, "a retired chunk stays readable"
        assert lexical.search(tx, "one", None, 5) == []
        assert [id_ for id_, _ in lexical.search(tx, "three", None, 5)] == list(new.added)


def test_a_renamed_scope_is_found_by_its_new_name(db: Database) -> None:
    with db.write() as tx:
        repos.add(tx, "shop", "/code/shop", NOW)
        added = chunks.replace_file(tx, "shop", "a.py", [draft("a.py", 1, "Cart.one", ONE)], NOW).added
        kept = chunks.replace_file(tx, "shop", "a.py", [draft("a.py", 1, "Basket.one", ONE)], LATER).kept
        assert kept == added
        assert lexical.search(tx, "Cart", None, 5) == []
        assert [id_ for id_, _ in lexical.search(tx, "Basket", None, 5)] == list(added)


def test_the_same_text_twice_in_a_file_is_two_chunks(db: Database) -> None:
    with db.write() as tx:
        repos.add(tx, "shop", "/code/shop", NOW)
        twice = [draft("a.py", 1, "one", ONE), draft("a.py", 9, "one", ONE)]
        added = chunks.replace_file(tx, "shop", "a.py", twice, NOW).added
        assert len(set(added)) == 2
        assert chunks.replace_file(tx, "shop", "a.py", twice, NOW) == chunks.Replaced((), added, ())
        assert chunks.replace_file(tx, "shop", "a.py", twice[:1], LATER).retired == added[1:]
        assert [c.id for c in chunks.by_hash(tx, [twice[0].content_hash])[twice[0].content_hash]] == list(added)


def test_by_hash_names_live_chunks_first(db: Database) -> None:
    with db.write() as tx:
        repos.add(tx, "shop", "/code/shop", NOW)
        old = chunks.replace_file(tx, "shop", "a.py", [draft("a.py", 1, "one", ONE)], NOW).added
        chunks.replace_file(tx, "shop", "a.py", [], LATER)
        new = chunks.replace_file(tx, "shop", "b.py", [draft("b.py", 1, "one", ONE)], LATER).added
        digest = texts.content_hash(ONE)
        assert [c.id for c in chunks.by_hash(tx, [digest, "unknown"])[digest]] == [*new, *old]


@pytest.mark.parametrize("bad", ["\x00", "\ud800"])
def test_what_sql_cannot_hold_is_refused(db: Database, bad: str) -> None:
    with db.write() as tx:
        repos.add(tx, "shop", "/code/shop", NOW)
        for drafts in ([draft("a.py", 1, "one", ONE)], []):
            with pytest.raises(InvalidInput, match="the path"):
                chunks.replace_file(tx, "shop", f"{bad}.py", drafts, NOW)
        with pytest.raises(InvalidInput, match="symbol"):
            chunks.replace_file(tx, "shop", "a.py", [draft("a.py", 1, bad, ONE)], NOW)
        with pytest.raises(InvalidInput, match="the name"):
            repos.add(tx, f"a{bad}", "/", NOW)
        with pytest.raises(InvalidInput, match="the text"):
            texts.put(tx, {"0" * 64: bad})


def test_unknown_things_are_not_found(db: Database) -> None:
    with db.write() as tx:
        for act in (
            lambda: chunks.replace_file(tx, "nobody", "a.py", [], NOW),
            lambda: chunks.one(tx, 1),
            lambda: repos.get(tx, "nobody"),
            lambda: repos.remove(tx, "nobody", NOW),
            lambda: repos.known_files(tx, "nobody"),
            lambda: repos.put_file(tx, "nobody", repos.FileState("a", 1, 1, "h")),
            lambda: repos.drop_file(tx, "nobody", "a"),
            lambda: repos.finish_indexing(tx, "nobody", {}, NOW),
        ):
            with pytest.raises(NotFound):
                act()
        assert chunks.get(tx, [1, 2]) == {}
        assert not chunks.is_live(tx, 1)


def test_vectors_are_kept_per_encoder_and_missing_ones_are_named(db: Database) -> None:
    with db.write() as tx:
        found = add_chunks(tx, 3)
        hashes = [chunk.content_hash for chunk in found]
        assert {digest for digest, _ in texts.missing_vectors(tx, "e", 10)} == set(hashes)
        texts.put_vectors(tx, "e", {hashes[0]: unit(3, 4), hashes[1]: unit(1, 0)})
        texts.put_vectors(tx, "e", {hashes[1]: unit(0, 1)})
        assert texts.missing_vectors(tx, "e", 10) == [(hashes[2], found[2].text)]
        assert len(texts.missing_vectors(tx, "other", 2)) == 2
        stored = texts.get_vectors(tx, "e", [*hashes, "unknown"])
    assert set(stored) == set(hashes[:2])
    assert stored[hashes[0]] == pytest.approx([0.6, 0.8], abs=2**-11)
    assert stored[hashes[1]] == pytest.approx([0, 1])


def test_retired_texts_need_no_vector(db: Database) -> None:
    with db.write() as tx:
        add_chunks(tx, 2)
        chunks.replace_file(tx, "shop", "basket.py", [], LATER)
        assert texts.missing_vectors(tx, "e", 10) == []


def test_live_vectors_come_in_pages_by_id(db: Database) -> None:
    with db.write() as tx:
        shop = add_chunks(tx, 5)
        bank = add_chunks(tx, 2, "bank")
        texts.put_vectors(tx, "e", {chunk.content_hash: unit(chunk.id, 1) for chunk in (*shop[:4], *bank)})
        keep = [draft("basket.py", 1, c.symbol, c.text) for c in shop[1:]]
        chunks.replace_file(tx, "shop", "basket.py", keep, LATER)
        live = [(c.id, c.repo) for c in (*shop[1:4], *bank)]
        first = chunks.live_vectors(tx, "e", 0, 3)
        rest = chunks.live_vectors(tx, "e", first[-1][0], 3)
        assert [(id_, repo) for id_, repo, _ in (*first, *rest)] == live
        assert [id_ for id_, _, _ in chunks.live_vectors(tx, "e", 0, 9, "bank")] == [c.id for c in bank]
        assert chunks.live_vectors(tx, "other", 0, 9) == []
        for id_, _, vector in first:
            assert vector == pytest.approx(unit(id_, 1), abs=2**-10)


def test_the_generation_counts_up(db: Database) -> None:
    with db.write() as tx:
        assert [chunks.generation(tx), chunks.bump_generation(tx), chunks.bump_generation(tx)] == [0, 1, 2]
    with db.read() as tx:
        assert chunks.generation(tx) == 2


def test_adding_a_repository_again_moves_it(db: Database) -> None:
    with db.write() as tx:
        first = repos.add(tx, "shop", "/old", NOW)
        again = repos.add(tx, "shop", "/new", LATER)
        assert (again.id, again.path, again.created_at) == (first.id, "/new", NOW)
        assert repos.list_all(tx) == [again]


@pytest.mark.parametrize("name", ["", " ", " shop", "shop ", "a\nb", "x" * 201])
def test_a_name_nobody_could_read_is_refused(db: Database, name: str) -> None:
    with db.write() as tx, pytest.raises(InvalidInput, match="name"):
        repos.add(tx, name, "/", NOW)


def test_files_are_remembered_as_they_were_indexed(db: Database) -> None:
    with db.write() as tx:
        add_chunks(tx, 2)
        state = repos.FileState("basket.py", 120, 2**62 + 1, "h1")
        repos.put_file(tx, "shop", state)
        assert repos.known_files(tx, "shop") == {"basket.py": state}
        changed = repos.FileState("basket.py", 130, 5, "h2")
        repos.put_file(tx, "shop", changed)
        assert repos.known_files(tx, "shop") == {"basket.py": changed}
        repos.finish_indexing(tx, "shop", {"binary": 2}, LATER)
        repo = repos.get(tx, "shop")
        assert (repo.files, repo.chunks, dict(repo.skipped), repo.indexed_at) == (1, 2, {"binary": 2}, LATER)
        repos.drop_file(tx, "shop", "basket.py")
        assert repos.known_files(tx, "shop") == {}


def test_a_removed_repository_is_gone_from_search_but_not_from_history(db: Database) -> None:
    with db.write() as tx:
        shop = add_chunks(tx, 2)
        bank = add_chunks(tx, 1, "bank")
        add_answer(tx, "a1", shop)
        repos.put_file(tx, "shop", repos.FileState("basket.py", 1, 1, "h"))
        assert repos.remove(tx, "shop", LATER) == [chunk.id for chunk in shop]
        assert [repo.name for repo in repos.list_all(tx)] == ["bank"]
        assert [id_ for id_, _ in lexical.search(tx, "def return", None, 9)] == [bank[0].id]
        assert chunks.one(tx, shop[0].id).repo == "shop"
        back = repos.add(tx, "shop", "/code/shop", LATER)
        assert (back.files, back.chunks, back.indexed_at) == (0, 0, None)
        assert len(add_chunks(tx, 2)) == 2

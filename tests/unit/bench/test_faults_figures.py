"""What the fault bench makes of what it saw: rows, the page between its marks, p99, and the order of system calls."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from bench.corpus import Corpus
from bench.faults.__main__ import SCENARIOS
from bench.faults.checks import Check, none_of, save, write_page
from bench.faults.power import Trace
from bench.faults.swaps import Seen, p99
from bench.faults.world import World

WAL = "/data/rankloop.db-wal"
WRITE = f'71 pwrite64(7<{WAL}>, "..."..., 4096, 56) = 4096'
FORCE = f"71 fdatasync(7<{WAL}>) = 0"
SAY = '70 sendto(15<socket:[9]>, "HTTP/1.1 200 OK\\r\\n"..., 620, 0, NULL, 0) = 620'
HEADER = f'71 pwrite64(7<{WAL}>, "7"..., 32, 0) = 32'
COPY = '72 pwrite64(6</data/rankloop.db>, "..."..., 4096, 8192) = 4096'
FORCE_COPY = "72 fdatasync(6</data/rankloop.db>) = 0"


def test_nothing_found_holds_and_what_was_found_is_named() -> None:
    assert none_of("ratings lost", [], 1200, "ratings") == Check("ratings lost", "0", "0 of 1,200 ratings", True)
    broken = none_of("ratings lost", ["a1", "a2", "a3", "a4"], 9, "ratings")
    assert broken.holds is False
    assert broken.seen == "4 of 9 ratings: a1; a2; a3"
    assert broken.cells()[-1] == "NO"


def test_the_page_keeps_its_words_and_says_what_is_missing(tmp_path: Path) -> None:
    page = tmp_path / "faults.md"
    page.write_text("# Faults\n\nWords.\n\n<!-- figures: begin -->\nof before\n<!-- figures: end -->\n\nMore words.\n")
    made = {"seconds": 1234.5, "machine": {"processors": 2}}
    said = Check("jobs", "–", "a | b\nc", None)
    save(tmp_path / "results", "kills", [Check("lost", "0", "0 of 3", True), said], made)
    write_page(tmp_path / "results", ["kills", "swaps"], page)
    text = page.read_text()
    assert text.startswith("# Faults\n\nWords.\n")
    assert text.endswith("More words.\n")
    assert "of before" not in text
    assert "| lost | 0 | 0 of 3 | yes |" in text
    assert "| jobs | – | a \\| b c | – |" in text
    assert "smaller" not in text
    assert "### swaps\n\nNot measured yet." in text
    assert "UTC, 1,234 s; processors 2" in text


def world(tmp_path: Path, *, quick: bool, points: int | None) -> World:
    return World(tmp_path, tmp_path, Corpus("none", {}, ()), (1, 2), quick, points, Console())


def test_a_run_of_another_number_is_marked_as_smaller(tmp_path: Path) -> None:
    full = world(tmp_path, quick=False, points=None)
    assert (full.size(100, 3), full.smaller()) == (100, None)
    asked = world(tmp_path, quick=False, points=30)
    assert (asked.size(100, 3), asked.smaller()) == (30, "30 instead of 100")
    assert (asked.size(30, 3), asked.smaller()) == (30, None)
    assert world(tmp_path, quick=True, points=None).smaller() == "--quick"
    page = tmp_path / "faults.md"
    made = {"seconds": 1.0, "machine": {}, "smaller": "30 instead of 100"}
    save(tmp_path, "kills", [Check("lost", "0", "0 of 3", True)], made)
    assert "**A smaller run than the scenario's own: 30 instead of 100.**" in write_page(tmp_path, ["kills"], page)


def early(*lines: str) -> tuple[list[str], int]:
    trace = Trace().read(lines)
    return trace.early, trace.forced


def test_an_acknowledgement_before_the_log_was_forced_is_seen() -> None:
    assert early(WRITE, FORCE, SAY, WRITE, FORCE, SAY) == ([], 2)
    assert early(WRITE, SAY, FORCE) == (["answer 1"], 1)
    assert early(WRITE, FORCE, WRITE, SAY) == (["answer 1"], 1)
    assert early(SAY) == (["answer 1"], 0), "nothing was written at all"
    assert early(WRITE, FORCE.replace("= 0", "= -1 EIO"), SAY)[0] == ["answer 1"]
    assert early(WRITE, FORCE_COPY, SAY)[0] == ["answer 1"], "another file was forced"
    assert early(WRITE, FORCE, SAY.replace("200", "503")) == ([], 1), "a refusal acknowledges nothing"


def test_a_force_counts_from_its_end_and_for_what_was_written_before_its_beginning() -> None:
    begun = FORCE.replace(") = 0", " <unfinished ...>")
    resumed = "71 <... fdatasync resumed>) = 0"
    assert early(WRITE, begun, resumed, SAY) == ([], 1)
    assert early(WRITE, begun, SAY, resumed)[0] == ["answer 1"]
    assert early(WRITE, begun, WRITE, resumed, SAY)[0] == ["answer 1"]
    assert early(WRITE, begun, resumed.replace("71", "72"), SAY)[0] == ["answer 1"], "another thread's end"
    assert early(WRITE, begun, resumed.replace("= 0", "= -1 EIO"), SAY)[0] == ["answer 1"]


def test_a_log_that_is_begun_anew_before_the_database_was_forced_is_seen() -> None:
    assert Trace().read([WRITE, FORCE, COPY, FORCE_COPY, HEADER, WRITE, FORCE, SAY]).overwritten == []
    trace = Trace().read([WRITE, FORCE, COPY, HEADER.replace(") = 32", " <unfinished ...>"), WRITE, FORCE, SAY])
    assert (trace.overwritten, trace.restarts, trace.acknowledged) == (["log 1"], 1, 1)


def test_p99_is_the_time_within_which_99_of_100_were_answered() -> None:
    seen = [Seen(0.0, float(n), 1, {}, "q") for n in range(1, 201)]
    assert p99(seen) == 0.99 * 200 + 1
    assert p99([]) == 0.0


def test_the_page_in_docs_has_a_place_for_each_scenario() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "faults.md").read_text(encoding="utf-8")
    for name in SCENARIOS:
        assert f"**{name}**" in page, name
        assert f"### {name}" in page, name

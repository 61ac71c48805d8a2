"""Pure parts around the routes: cron lines, cross-site rule, error sentences, comparison, event encoding, docs page."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event

import numpy as np
import pytest

from server import compare, plan, problems, sse
from server.app import create_app
from server.docs_page import page
from server.guard import cross_site, method_of, route_of
from server.retrieval.pool import WorkPool
from server.schemas.versions import VersionView
from store.cron import Cron
from store.errors import Busy, InvalidInput, NotFound, RankloopError, Unavailable
from store.evaluations import EvalRow
from store.settings import Settings, load_settings
from store.types import Blend, Champion, Version, VersionForm

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "zone", "expected"),
    [
        ("30 2 * * *", "UTC", ["2026-11-22T02:30", "2026-11-23T02:30", "2026-11-24T02:30"]),
        ("30 2 * * *", "Europe/Berlin", ["2026-11-22T01:30", "2026-11-23T01:30", "2026-11-24T01:30"]),
        ("0 */8 * * *", "UTC", ["2026-11-21T16:00", "2026-11-22T00:00", "2026-11-22T08:00"]),
        ("0 3 * * 0", "UTC", ["2026-11-22T03:00", "2026-11-29T03:00", "2026-12-06T03:00"]),
        ("0 3 * * 7", "UTC", ["2026-11-22T03:00", "2026-11-29T03:00", "2026-12-06T03:00"]),
        ("0 3 * * mon", "UTC", ["2026-11-23T03:00", "2026-11-30T03:00", "2026-12-07T03:00"]),
        ("0 0 1 jan *", "UTC", ["2027-01-01T00:00", "2028-01-01T00:00", "2029-01-01T00:00"]),
        ("0 0 29 2 *", "UTC", ["2028-02-29T00:00", "2032-02-29T00:00"]),
    ],
)
def test_the_next_times_of_a_cron_line(line: str, zone: str, expected: list[str]) -> None:
    times = Cron.parse(line).next(NOW, 3, zone)
    assert [time.isoformat()[:16] for time in times] == expected


def test_a_local_time_that_a_clock_change_skips_is_left_out() -> None:
    times = Cron.parse("30 2 * * *").next(datetime(2026, 3, 28, 12, tzinfo=UTC), 2, "Europe/Berlin")
    assert [time.isoformat()[:16] for time in times] == ["2026-03-30T00:30", "2026-03-31T00:30"]


@pytest.mark.parametrize(
    "line",
    ["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *", "5-1 * * * *",
     "*/0 * * * *", "1- * * * *", "/5 * * * *", "٣ * * * *", "0 0 1 * mon"],
)  # fmt: skip
def test_wrong_cron_lines_are_refused(line: str) -> None:
    with pytest.raises(InvalidInput):
        Cron.parse(line)


def test_a_changed_schedule_keeps_what_is_not_given() -> None:
    first = plan.changed(None, "0 4 * * *", None)
    assert first == {"cron": "0 4 * * *"}, "nobody chose how to promote"
    second = plan.changed({**first, "timezone": "UTC"}, None, False)
    assert second == {"cron": "0 4 * * *", "auto_promote": False, "timezone": "UTC"}
    assert plan.changed(None, None, True) == {"auto_promote": True}


@pytest.mark.parametrize("setting", [True, False])
def test_the_setting_promotes_only_where_nobody_chose(setting: bool) -> None:
    settings = Settings(auto_promote=setting)
    champion = Champion(1, 3, NOW, auto_promote=True)
    assert plan.read({"cron": "0 4 * * *"}, settings).promotes(champion) is setting
    assert plan.read({"auto_promote": not setting}, settings).promotes(champion) is not setting


@pytest.mark.parametrize(
    ("name", "wrong", "says"),
    [("nightly_cron", "99 2 * * *", "minute"), ("nightly_cron", "0 0 30 2 *", "never"),
     ("timezone", "Mars/Base", "IANA"), ("timezone", "America", "IANA"), ("timezone", "/etc/passwd", "IANA")],
)  # fmt: skip
def test_a_schedule_of_the_environment_is_checked_at_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, wrong: str, says: str
) -> None:
    monkeypatch.setenv(f"RANKLOOP_{name.upper()}", wrong)
    with pytest.raises(InvalidInput, match=f"RANKLOOP_{name.upper()}.*{says}"):
        load_settings()


def test_a_weekday_of_the_environment_is_stored_by_name() -> None:
    assert Settings(nightly_cron="30 2 * * 7").nightly_cron == "30 2 * * sun"


@pytest.mark.parametrize(
    ("headers", "https", "foreign"),
    [
        ({b"origin": b"http://a:1", b"host": b"a:1"}, False, False),
        ({b"origin": b"https://a:1", b"host": b"a:1"}, False, False),
        ({b"origin": b"http://a:2", b"host": b"a:1"}, False, True),
        ({b"origin": b"https://a:1", b"host": b"a:1"}, True, False),
        ({b"origin": b"http://a:1", b"host": b"a:1"}, True, True),
        ({b"origin": b"a:1", b"host": b"a:1"}, True, True),
        ({b"host": b"a:1"}, True, False),
    ],
)
def test_cross_site_compares_origin_with_host_and_under_https_its_scheme(
    headers: dict[bytes, bytes], https: bool, foreign: bool
) -> None:
    assert cross_site(headers, https) is foreign


def test_metric_labels_name_parameters_instead_of_values() -> None:
    scope = {
        "route": 1,
        "path": "/api/answers/abc/chunks/7/rating",
        "path_params": {"answer_id": "abc", "chunk_id": "7"},
    }
    assert route_of(scope) == "/api/answers/{answer_id}/chunks/{chunk_id}/rating"
    assert route_of({"path": "/x"}) == "unknown"


def test_a_made_up_method_is_no_label_of_its_own() -> None:
    assert [method_of({"method": name}) for name in ("GET", "DELETE", "get", "X" * 50_000)] == [
        "GET",
        "DELETE",
        "other",
        "other",
    ]


@pytest.mark.parametrize(("error", "status"), [(NotFound("x"), 404), (InvalidInput("x"), 422), (Busy("x"), 503)])
def test_errors_have_a_status(error: RankloopError, status: int) -> None:
    assert problems.status_of(error) == status


def test_errors_that_pass_say_when_to_come_back() -> None:
    assert int(problems.headers_of(Busy("x"))["Retry-After"]) > 0
    assert int(problems.headers_of(Unavailable("x"))["Retry-After"]) > 0
    assert problems.headers_of(NotFound("x")) == {}


def test_an_event_is_one_line_of_data() -> None:
    raw = sse.encode("token", {"text": "a\nb\n\nc"}, id=3).decode()
    assert raw.startswith("id: 3\nevent: token\ndata: ")
    assert raw.endswith("\n\n")
    assert json.loads(raw.splitlines()[2].removeprefix("data: ")) == {"text": "a\nb\n\nc"}


def version(number: int, parent: int | None = None) -> Version:
    form = VersionForm.FIRST_STAGE if number == 0 else VersionForm.CROSS_ENCODER
    return Version(number, "v", form, "", parent, None, None, Blend(), {}, None, (), NOW, None)


def row(arm: str, group: int, value: float, evidence: str = "held_out") -> EvalRow:
    return EvalRow(arm, evidence, group, f"q{group}", {"ndcg@10": value}, ())


def test_a_version_is_compared_with_its_parent_within_one_evaluation() -> None:
    own = [row("challenger", 1, 0.9), row("champion", 1, 0.5), row("no_rerank", 1, 0.1)]
    earlier = [row("challenger", 1, 0.7)]
    [pair] = compare.pair(version(1), version(2, parent=1), earlier, own)
    assert pair.difference("ndcg@10") == pytest.approx(0.9 - 0.5)
    [turned] = compare.pair(version(2, parent=1), version(1), own, earlier)
    assert turned.difference("ndcg@10") == pytest.approx(0.5 - 0.9)


def test_unrelated_versions_are_joined_by_evidence_and_group() -> None:
    a = [row("challenger", 1, 0.5), row("challenger", 2, 0.5), row("challenger", 1, 0.3, "golden")]
    b = [row("challenger", 1, 0.6), row("challenger", 3, 0.9), row("challenger", 1, 0.3, "golden")]
    pairs = compare.pair(version(1), version(2), a, b)
    assert [(p.a.evidence, p.a.group_id) for p in pairs] == [("held_out", 1), ("golden", 1)]
    assert [p.a.evidence for p in compare.changed(pairs)] == ["held_out"]


def test_a_guard_question_is_not_joined_with_another_of_the_same_number() -> None:
    a = [row("challenger", 1, 0.5, "golden"), row("challenger", 2, 0.5, "general")]
    b = [replace(one, query="another question") for one in a]
    assert compare.pair(version(1), version(2), a, b) == []


def test_each_body_of_evidence_is_paired_by_itself() -> None:
    own = [row("challenger", 1, 0.9), row("challenger", 2, 0.8, "out_of_fold"), row("champion", 2, 0.4, "out_of_fold")]
    pairs = compare.pair(version(1), version(2, parent=1), [row("challenger", 1, 0.7)], own)
    assert [p.difference("ndcg@10") for p in pairs] == pytest.approx([0.9 - 0.7, 0.8 - 0.4])


def test_the_judged_groups_are_not_sent() -> None:
    shown = VersionView.model_validate(replace(version(1), metrics={"notes": [], "judged_groups": [1, 2]}))
    assert shown.metrics == {"notes": []}


def test_p_is_small_for_a_clear_gain_and_one_for_none() -> None:
    assert compare.p_value(np.full(20, 0.1)) < 0.01
    assert compare.p_value(np.zeros(20)) == 1.0
    low, high = compare.interval(np.full(20, 0.1))
    assert [low, high] == pytest.approx([0.1, 0.1])


def test_a_full_pool_says_come_back_and_recovers() -> None:
    async def scenario() -> None:
        pool, go = WorkPool(workers=1, waiting=1), Event()
        held = [asyncio.create_task(pool.run(go.wait, 10)) for _ in range(2)]
        await asyncio.sleep(0.05)
        with pytest.raises(Busy):
            await pool.run(int)
        go.set()
        await asyncio.gather(*held)
        assert await pool.run(int, 7) == 7
        pool.close()

    asyncio.run(scenario())


def test_a_call_given_up_before_its_turn_never_runs_and_frees_its_place() -> None:
    async def scenario() -> None:
        pool, go, ran = WorkPool(workers=1, waiting=1), Event(), Event()
        first = asyncio.create_task(pool.run(go.wait, 10))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(pool.run(ran.set))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.sleep(0.05)
        third = asyncio.create_task(pool.run(int, 3))
        go.set()
        assert await first is True
        assert await third == 3
        assert not ran.is_set()
        pool.close()

    asyncio.run(scenario())


def test_the_description_lists_every_call_without_any_script() -> None:
    schema = create_app(Settings()).openapi()
    html = page(schema)
    assert "<script" not in html
    for path in schema["paths"]:
        assert f"<code>{path}</code>" in html
    for name in ("ChatDone", "JobEventView", "Receipt"):
        assert f'id="{name}"' in html

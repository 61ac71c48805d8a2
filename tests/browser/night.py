"""What a night in the browser is made of: code, people who rate it, and eyes on the running job."""

from __future__ import annotations

import httpx
from playwright.sync_api import Page, expect

from tests.browser.site import TOKEN, Site

VERBS = {
    "read": "load", "write": "store", "parse": "take apart", "delete": "wipe", "sort": "put in order",
    "close": "give back", "find": "look for", "insert": "add",
}  # fmt: skip
THINGS = {
    "file": "document", "table": "grid", "token": "pass", "user": "account", "model": "network", "config": "setting",
    "query": "request", "path": "folder",
}  # fmt: skip
"""What the code says, and what people say: the first stage cannot know, so that a version has something to move."""
WATCHED = "How do I sort a table?"
JOB_MS = 240_000


def code() -> dict[str, str]:
    text = 'def {verb}_{thing}({thing}):\n    """{verb} a {thing}."""\n    return {thing}.{verb}()\n'
    return {f"{thing}/{verb}.py": text.format(verb=verb, thing=thing) for thing in THINGS for verb in VERBS}


def rate_all(site: Site) -> None:
    """Two people ask for every function in turn and vote for it, and against the first other one."""
    for number, (verb, thing) in enumerate((verb, thing) for verb in VERBS for thing in THINGS):
        person = {"X-Rankloop-User": "ann" if number % 2 else "bob"}
        body = {"question": f"where do we {VERBS[verb]} the {THINGS[thing]}?", "repo": "demo", "top_k": 20}
        found = httpx.post(f"{site.url}/api/answer", json=body, headers=person, timeout=60).raise_for_status().json()
        right = [one for one in found["sources"] if one["path"] == f"{thing}/{verb}.py"]
        votes = [(one["chunk_id"], True) for one in right[:1]]
        votes += [(one["chunk_id"], False) for one in found["sources"] if one not in right][:1]
        for chunk, relevant in votes:
            place = f"{site.url}/api/answers/{found['answer_id']}/chunks/{chunk}/rating"
            httpx.put(place, json={"relevant": relevant}, headers=person, timeout=60).raise_for_status()


def watch(page: Page, patience_ms: int) -> tuple[list[float], list[str]]:
    """What the page shows of the running job, one entry a change, until it shows no progress any more."""
    seen = page.evaluate(
        """(patience) => new Promise((resolve) => {
            const progress = [], stages = [], end = Date.now() + patience;
            let started = false;
            const look = () => {
                const bar = document.querySelector("progress");
                if (bar === null && started || Date.now() > end) return resolve([progress, stages]);
                if (bar !== null) {
                    started = true;
                    const stage = bar.nextElementSibling.textContent;
                    if (progress.at(-1) !== bar.value) progress.push(bar.value);
                    if (stages.at(-1) !== stage) stages.push(stage);
                }
                setTimeout(look, 20);
            };
            look();
        })""",
        patience_ms,
    )
    return [float(each) for each in seen[0]], [str(each) for each in seen[1]]


def sign_in(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/admin")
    page.get_by_label("Admin token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()

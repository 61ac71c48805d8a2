"""A command costs what it does: nothing loads torch to print a help text or an answer of the server."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rankloop.locks import ProcessLock, server_lock
from store.settings import process_environment

MODELS = {"torch", "transformers", "sentence_transformers", "openvino", "qdrant_client"}
DATABASE = {"sqlalchemy", "alembic"}
SERVER = {"fastapi", "starlette", "uvicorn"}
SCRIPT = """
import sys
from rankloop.cli import app
try:
    app(sys.argv[1:], prog_name="rankloop")
finally:
    print(*sorted(name for name in sys.modules if "." not in name), file=sys.stderr)
"""

RESULT = {
    "chunk_id": 1,
    "repo": "shop",
    "path": "src/" + "a_long_folder_name/" * 8 + "cart.py",
    "start_line": 3,
    "end_line": 20,
    "symbol": "Cart.add",
    "language": "python",
    "text": "def add(self): ...",
    "dense_score": 0.5,
    "lexical_score": 1.0,
    "fused_score": 0.6,
    "rerank_score": None,
    "final_score": 0.6,
    "rank": 1,
    "first_stage_rank": 1,
    "matching_lines": [],
}
SOURCES = [{**RESULT, "n": 1, "cited": True}, {**RESULT, "n": 2, "cited": False, "chunk_id": 2, "symbol": "Cart.drop"}]
ANSWER = {
    "answer_id": "0123456789abcdef",
    "answer": "Items are added in **Cart.add** [1].",
    "sources": SOURCES,
    "citations": [1],
    "model_version": 3,
    "generator": "extractive",
    "timings": {},
}


@contextmanager
def answering(data: Path, answer: object) -> Iterator[None]:
    """What runs on the data directory, as far as ``ask`` can tell."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with ProcessLock(server_lock(data), url=f"http://127.0.0.1:{server.server_port}"):
                yield
        finally:
            server.shutdown()
            thread.join()


def rankloop(data: Path, *words: str) -> tuple[str, set[str]]:
    """What the command prints, and the modules that it has loaded."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        env=process_environment({"RANKLOOP_DATA": str(data), "COLUMNS": "60"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, set(done.stderr.split())


@pytest.mark.parametrize("words", [("--help",), ("models", "promote", "--help"), ("--version",)])
def test_help_loads_nothing_of_weight(tmp_path: Path, words: tuple[str, ...]) -> None:
    shown, loaded = rankloop(tmp_path / "data", *words)
    assert shown
    assert not loaded & (MODELS | DATABASE | SERVER | {"httpx"})
    assert not (tmp_path / "data").exists()


def test_ask_only_talks_to_the_server_and_prints_whole_lines(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with answering(data, ANSWER):
        shown, loaded = rankloop(data, "ask", "Where are items added?")
    assert not loaded & (MODELS | DATABASE | SERVER)
    assert shown.splitlines() == [
        "Items are added in **Cart.add** [1].",
        "",
        "Sources in shop (* the answer cites it):",
        f"* [1] {RESULT['path']}:3-20  Cart.add",
        f"  [2] {RESULT['path']}:3-20  Cart.drop",
        "Ranked by version 3.",
    ]


def test_ask_names_the_repositories_where_sources_are_of_several(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with answering(data, {**ANSWER, "sources": [SOURCES[0], {**SOURCES[1], "repo": "billing", "n": 12}]}):
        shown, _ = rankloop(data, "ask", "Where are items added?")
    assert shown.splitlines()[2:5] == [
        "Sources (* the answer cites it):",
        f"*  [1] shop  {RESULT['path']}:3-20  Cart.add",
        f"  [12] billing  {RESULT['path']}:3-20  Cart.drop",
    ]


@pytest.mark.parametrize("words", [("models", "list"), ("golden", "list"), ("repos", "list")])
def test_lists_of_the_database_load_no_model(tmp_path: Path, words: tuple[str, ...]) -> None:
    shown, loaded = rankloop(tmp_path / "data", *words)
    assert shown
    assert not loaded & (MODELS | SERVER)

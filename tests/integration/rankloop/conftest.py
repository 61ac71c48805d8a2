"""The command line on real parts: tiny models, an indexed folder, versions, a rated answer; made once, copied."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from rankloop.cli import app
from store.database import Database
from store.encoder import Encoder
from store.settings import Settings
from store.types import Decision
from tests import tiny
from tests.integration.server.support import CODE, publish, running

QUESTION = "Where is the configuration read?"


@dataclass(frozen=True)
class Models:
    encoder: Path
    base: Path


@dataclass(frozen=True)
class Desk:
    """A data directory of the test's own, and the command line on it."""

    data: Path
    models: Models

    @property
    def settings(self) -> Settings:
        return Settings(data=self.data)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "RANKLOOP_DATA": str(self.data),
            "RANKLOOP_ENCODER": str(self.models.encoder),
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "200",
        }

    def run(self, *words: str | Path, **environment: str) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words], env=self.environment | environment)

    def says(self, *words: str | Path, **environment: str) -> str:
        """What a command that succeeds prints."""
        done = self.run(*words, **environment)
        assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
        return str(done.output)

    def refuses(self, *words: str | Path, **environment: str) -> str:
        """The one line of a command that fails as expected."""
        done = self.run(*words, **environment)
        assert done.exit_code == 1, done.output
        lines = str(done.output).strip().splitlines()
        assert len(lines) == 1, done.output
        assert lines[0].startswith("rankloop:")
        return lines[0]

    def database(self) -> Database:
        return Database.open(self.settings.database)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    root = tmp_path_factory.mktemp("models")
    return Models(tiny.encoder(root / "encoder"), tiny.cross_encoder(root / "tiny-base", seed=7))


@pytest.fixture(scope="session")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("code") / "shop"
    for path, text in CODE.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory, models: Models, code: Path) -> Path:
    """Version 1 has not passed the gate; one answer is rated by two people."""
    data = tmp_path_factory.mktemp("furnished") / "data"
    with running(data, Encoder.load(str(models.encoder))) as server:
        server.index(code)
        publish(server.state.db, server.settings.models_dir, "unproven", 1, Decision.NOT_PROVEN)
        found = server.answer(QUESTION)
        place = f"/api/answers/{found['answer_id']}"
        for person, thumb in (("ann", "up"), ("bob", "down")):
            who = {"X-Rankloop-User": person}
            server.ok(server.client.put(f"{place}/rating", json={"thumb": thumb}, headers=who))
            chunk = found["sources"][0]["chunk_id"]
            vote = {"relevant": thumb == "up"}
            server.ok(server.client.put(f"{place}/chunks/{chunk}/rating", json=vote, headers=who))
    return data


@pytest.fixture
def desk(tmp_path: Path, furnished: Path, models: Models) -> Desk:
    shutil.copytree(furnished, tmp_path / "data")
    return Desk(tmp_path / "data", models)


@pytest.fixture
def empty(tmp_path: Path, models: Models) -> Desk:
    return Desk(tmp_path / "elsewhere", models)

"""A few made-up requests to every call of the description, whoever sends them; ``bench/fuzz`` sends thousands."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.app import create_app
from store.encoder import Encoder
from store.settings import Settings
from tests.fuzz_site import FuzzSite, fuzz_site
from tests.fuzzing import LAST, fuzz, name_of, operations
from tests.oidc_provider import provider

EXAMPLES = 12


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, prepared: Path, tiny_encoder: Encoder) -> Iterator[FuzzSite]:
    data = tmp_path_factory.mktemp("fuzz") / "data"
    shutil.copytree(prepared, data)
    with provider() as issuer, fuzz_site(data, tiny_encoder, issuer.discovery) as site:
        yield site


def names() -> list[str]:
    """Every operation of the description; those that take away what others need come last."""
    paths = create_app(Settings()).openapi()["paths"]
    found = [one["operationId"] for path in paths.values() for one in path.values()]
    return sorted(found, key=lambda name: (name in LAST, name))


@pytest.mark.parametrize("name", names())
def test_whatever_is_sent_is_answered_as_described(target: FuzzSite, name: str) -> None:
    operation = next(one for one in operations(target) if name_of(one) == name)
    for who, seen in fuzz(target, operation, EXAMPLES).items():
        assert seen.examples == EXAMPLES, who
        assert not seen.failures, f"{who}: " + "\n".join(f"{what}\n{shown}" for what, shown in seen.failures.items())

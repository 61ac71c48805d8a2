"""What a cell was made by: a short hash of the numbers that decide it, and the commit, kept as ``made_with``."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from bench.loop.cells import NIGHTS, Cell, numbers_of
from bench.loop.person import Model
from bench.loop.predecessor import PREDECESSOR, WEIGHTS
from store.settings import Settings
from store.types import Json
from trainer import fit_blend
from trainer.dataset import POLICIES, DatasetPolicy
from trainer.recipe import RECIPES, SEED, AnyRecipe

_UNTRAINED = ("no-rerank", "base")
_ROOT = Path(__file__).parents[2]


def deciding(arm: str) -> Json:
    """Every number that decides an arm's cells, but for the share of wrong votes, which the cell's name says."""
    settings = Settings()
    found: Json = {"encoder": settings.encoder, "lexical": settings.first_stage_lexical}
    if arm == "no-rerank":
        return found
    recipe = _recipe(arm, settings)
    found |= {"max_length": settings.max_length, "prior_scale": recipe.prior_scale}
    if arm in _UNTRAINED:
        return found
    weights = WEIGHTS if recipe is PREDECESSOR else fit_blend.WEIGHTS
    guard = {"smaller": fit_blend.SMALLER, "sure": fit_blend.SURE}
    found |= {
        "recipe": recipe.as_json(),
        "policy": asdict(POLICIES.get(recipe.name, DatasetPolicy())),
        "blend": guard if recipe.residual else {"weights": weights},
    }
    return found if arm == "oracle" else {**found, "people": asdict(Model(wrong=0.0)), "nights": NIGHTS}


def _recipe(arm: str, settings: Settings) -> AnyRecipe:
    return {"predecessor": PREDECESSOR, "seed": SEED}.get(arm, RECIPES[settings.recipe])


def numbers(arm: str) -> str:
    """Twelve hexadecimal digits that change with any of today's deciding numbers."""
    text = json.dumps(deciding(arm), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def commit() -> str | None:
    """The commit that the code is at, with ``-dirty`` where Python files differ from it; None outside a repository."""
    try:
        head, changed = _git("rev-parse", "--short=12", "HEAD"), _git("diff", "--quiet", "HEAD", "--", "*.py")
    except FileNotFoundError:
        return None
    if head.returncode:
        return None
    return head.stdout.strip() + ("-dirty" if changed.returncode else "")


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=False)


def made_with(arm: str) -> Json:
    """To keep in a cell's notes, taken before it is made."""
    return {"numbers": numbers(arm), "commit": commit()}


def earlier(cells: Iterable[Cell]) -> tuple[list[str], list[str]]:
    """Names of the cells that other numbers than today's made, and of those of which that is not known."""
    known = [(cell.key, numbers_of(cell)) for cell in cells]
    other = [key.name for key, made in known if made is not None and made != numbers(key.arm)]
    return other, [key.name for key, made in known if made is None]

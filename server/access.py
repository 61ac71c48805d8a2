"""Who calls, what they may do, and the sentence that says why not. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Literal, TypeAlias

from server.problems import SignInNeeded, SignInOff
from store import sessions
from store.errors import Forbidden, InvalidInput
from store.roles import RoleMap, at_least
from store.settings import Settings, is_loopback
from store.types import Role
from store.visibility import Viewer

Way: TypeAlias = Literal["proxy", "oidc"]
"""How people sign in."""
OPERATOR = sessions.OPERATOR
NAME_CHARACTERS = 200
GROUPS = 500
_VISITOR = re.compile(r"visitor-[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. ``actor`` is None where nothing names them; ``client`` is set where no account or header does."""

    actor: str | None
    role: Role | None
    client: str
    logged: bool
    signed_in: bool = False
    expires_at: datetime | None = None
    groups: frozenset[str] = frozenset()
    person: str | None = None
    """The signed-in person; None for the local one, for visitors and for the admin token."""

    @property
    def viewer(self) -> Viewer:
        """The caller as the rule of visibility sees them."""
        return Viewer(self.person, self.groups, self.role is Role.ADMIN)


class Access:
    """What the settings say about who may come in."""

    def __init__(self, settings: Settings) -> None:
        self.sign_in = settings.sign_in
        self.open = not settings.sign_in and is_loopback(settings.host)
        """Whoever reaches the server is the local person, who asks and rates."""
        ways: dict[Way, str | None] = {"proxy": settings.proxy_user_header, "oidc": settings.oidc_url}
        self.ways: list[Way] = [way for way, setting in ways.items() if setting is not None]
        self.secure = settings.secure
        self.session_cookie = "__Host-rankloop_session" if settings.secure else "rankloop_session"
        self.user_header = settings.proxy_user_header
        self.groups_header = settings.proxy_groups_header
        self.groups_separator = settings.proxy_groups_separator
        self._roles = RoleMap.parse(settings.roles)

    def role_of(self, groups: Iterable[str]) -> Role | None:
        """The role of a signed-in person."""
        return self._roles.role_of(groups)

    def limited(self, who: Caller) -> str | None:
        """Whose bucket an act is taken from; None for administrators and the person at this machine."""
        if who.role is Role.ADMIN:
            return None
        if who.person is not None:
            return f"person {who.person}"
        return None if self.open and (not who.client or is_loopback(who.client)) else f"address {_place(who.client)}"

    def require(self, who: Caller, needed: Role) -> None:
        """Raises SignInNeeded, SignInOff or Forbidden where the caller may not."""
        if at_least(who.role, needed):
            return
        if who.signed_in:
            has = "you have none" if who.role is None else f"yours is {who.role}"
            raise Forbidden(f"This needs the role {needed}; {has}. Administrators give roles with RANKLOOP_ROLES.")
        if needed is Role.ADMIN:
            raise SignInNeeded(
                "Sign in with the admin token, or with the link that the server printed when it started."
            )
        if not self.sign_in:
            raise SignInOff(
                "Other machines reach this server, so asking and rating need sign-in, and none is set up: "
                "docs/deploy.md says how."
            )
        raise SignInNeeded(
            "Sign in first: open Rankloop's page in a browser. Scripts send Authorization: Bearer TOKEN."
        )


def is_visitor(name: str) -> bool:
    """Whether a name is one that was made for somebody without an account."""
    return _VISITOR.fullmatch(name) is not None


def checked_name(name: str, what: str) -> str:
    """A person's name as said by ``what``. Raises InvalidInput for one that can't be anybody's."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_CHARACTERS or not name.isprintable() or is_visitor(name):
        raise InvalidInput(f"{what} must be a printable name of 1 to {NAME_CHARACTERS} characters")
    return name


def account_name(name: str, what: str) -> str:
    """As ``checked_name``, for somebody who signed in: the operator's name is nobody's. Raises InvalidInput."""
    name = checked_name(name, what)
    if name == OPERATOR:
        raise InvalidInput(f"{what} says {OPERATOR!r}, which stands for the admin token; use another name")
    return name


def group_names(names: Iterable[str]) -> frozenset[str]:
    """Groups that can be kept: printable, of 1 to 200 characters, the first 500."""
    clean = (name.strip() for name in names)
    good = (name for name in clean if 1 <= len(name) <= NAME_CHARACTERS and name.isprintable())
    return frozenset(list(dict.fromkeys(good))[:GROUPS])


def _place(client: str) -> str:
    """An address as far as it tells one caller from another: whoever has an IPv6 one has 2^64 of them."""
    try:
        found = ip_address(client)
    except ValueError:
        return client
    return client if found.version == 4 else str(ip_network((int(found), 64), strict=False))

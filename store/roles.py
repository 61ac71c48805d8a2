"""What people may do, and how their groups say it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from store.errors import InvalidInput
from store.types import Role

EVERYBODY = "*"
"""In a role map: whoever is signed in."""
_ENTRY = re.compile(
    r"""\s* (?: "(?P<quoted>[^"]+)" | (?P<plain>[^",=]+?) ) \s* = \s* (?P<role>[^",=]*?) \s* (?:,|$)""", re.VERBOSE
)
_NOTHING = re.compile(r"\s*(?:,|$)")
_ORDER = (Role.USER, Role.RATER, Role.ADMIN)


def at_least(role: Role | None, needed: Role) -> bool:
    """Whether ``role`` includes what ``needed`` may do: an admin rates, a rater asks."""
    return role is not None and _ORDER.index(role) >= _ORDER.index(needed)


@dataclass(frozen=True, slots=True)
class RoleMap:
    """Group → role; ``*`` is everybody who is signed in."""

    roles: Mapping[str, Role]

    @classmethod
    def parse(cls, text: str) -> RoleMap:
        """Read ``group=role, "CN=group,OU=of"=role``. Raises InvalidInput for anything else.

        A name with a comma or ``=`` must be quoted: read as several entries it would give a role to other groups.
        """
        roles: dict[str, Role] = {}
        at = 0
        while at < len(text):
            if nothing := _NOTHING.match(text, at):
                at = nothing.end()
                continue
            entry = _ENTRY.match(text, at)
            group = (entry["quoted"] or entry["plain"]).strip() if entry else ""
            if entry is None or not group or entry["role"] not in set(Role):
                raise InvalidInput(
                    f"{text[at:].partition(',')[0].strip()!r} is not of the form group=role with a role of "
                    f"{', '.join(Role)}; a group's name with a comma or = in it stands in double quotes"
                )
            roles[group] = Role(entry["role"])
            at = entry.end()
        return cls(roles)

    def role_of(self, groups: Iterable[str]) -> Role | None:
        """The highest role that the groups of a signed-in person give; None when they give none."""
        found = [self.roles[group] for group in (EVERYBODY, *groups) if group in self.roles]
        return max(found, key=_ORDER.index, default=None)

"""What people may do, and how their groups say it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from store.errors import InvalidInput
from store.types import Role

EVERYBODY = "*"
"""In a role map: whoever is signed in."""
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
        """Read ``group=role, group=role``. Raises InvalidInput for anything else."""
        roles: dict[str, Role] = {}
        for entry in filter(None, (part.strip() for part in text.split(","))):
            group, sign, role = (part.strip() for part in entry.rpartition("="))
            if not sign or not group or role not in set(Role):
                choices = ", ".join(Role)
                raise InvalidInput(f"{entry!r} is not of the form group=role with a role of {choices}")
            roles[group] = Role(role)
        return cls(roles)

    def role_of(self, groups: Iterable[str]) -> Role | None:
        """The highest role that the groups of a signed-in person give; None when they give none."""
        found = [self.roles[group] for group in (EVERYBODY, *groups) if group in self.roles]
        return max(found, key=_ORDER.index, default=None)

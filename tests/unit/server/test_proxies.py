"""Whom a proxy is believed to pass on, and whose person's header is taken away."""

from __future__ import annotations

import pytest

from server.access import Access
from server.proxies import Proxies
from store.errors import InvalidInput
from store.roles import RoleMap, at_least
from store.settings import Settings, load_settings
from store.types import Role

BEHIND = Proxies(Settings(trusted_proxies="10.0.0.0/8, 2001:db8::1", proxy_user_header="X-Person"))
ADA = (b"x-person", b"ada")
GROUPS = {"PROXY_GROUPS_HEADER": "G", "PROXY_USER_HEADER": "P", "TRUSTED_PROXIES": "::1"}


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("::1", "203.0.113.9", "203.0.113.9"),
        ("10.1.2.3", "203.0.113.9", "203.0.113.9"),
        ("10.1.2.3", "127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("10.1.2.3", "203.0.113.9, 10.9.9.9", "203.0.113.9"),
        ("10.1.2.3", "203.0.113.9, nonsense", "10.1.2.3"),
        ("::ffff:10.1.2.3", "203.0.113.9", "203.0.113.9"),
        ("203.0.113.7", "127.0.0.1", "203.0.113.7"),
        ("testclient", "127.0.0.1", "testclient"),
        ("", "127.0.0.1", ""),
    ],
)
def test_the_client_is_the_nearest_address_that_nobody_vouches_for(
    peer: str, forwarded: str | None, client: str
) -> None:
    headers = [] if forwarded is None else [(b"X-Forwarded-For", forwarded.encode())]
    assert BEHIND.look(peer, headers).client == client


@pytest.mark.parametrize(
    ("peer", "kept"),
    [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("2001:db8::1", True), ("127.0.0.1", False), ("11.0.0.1", False),
     ("2001:db8::2", False), ("", False), ("testclient", False)],
)  # fmt: skip
def test_only_a_trusted_proxy_names_the_person(peer: str, kept: bool) -> None:
    for name in (b"x-person", b"X-Person"):
        seen = BEHIND.look(peer, [(name, b"ada"), (b"accept", b"*/*")])
        assert ((name, b"ada") in seen.headers) is kept
        assert (b"accept", b"*/*") in seen.headers


def test_a_person_named_twice_is_noticed() -> None:
    assert BEHIND.look("10.1.2.3", [ADA, (b"X-Person", b"bo")]).ambiguous == "x-person"
    assert BEHIND.look("10.1.2.3", [ADA]).ambiguous is None
    assert BEHIND.look("203.0.113.7", [ADA, ADA]).ambiguous is None


def test_groups_give_the_highest_role() -> None:
    roles = RoleMap.parse("*=user, dev = rater, ops=admin,")
    assert roles.role_of([]) is Role.USER
    assert roles.role_of(["ops", "dev"]) is Role.ADMIN
    assert roles.role_of(["dev", "other"]) is Role.RATER
    assert RoleMap.parse("dev=rater").role_of(["other", "*"]) is None
    quoted = RoleMap.parse('"CN=dev,OU=code" = rater , ops=admin,"x=y"=user')
    assert quoted.roles == {"CN=dev,OU=code": Role.RATER, "ops": Role.ADMIN, "x=y": Role.USER}
    assert [at_least(Role.RATER, role) for role in Role] == [True, True, False]
    assert not at_least(None, Role.USER)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"ROLES": "dev=owner"}, "RANKLOOP_ROLES.*user, rater, admin"),
        ({"ROLES": "dev"}, "RANKLOOP_ROLES.*group=role"),
        ({"ROLES": "CN=admin,OU=code=rater"}, "RANKLOOP_ROLES.*OU=code=rater.*double quotes"),
        ({"ROLES": 'ops=admin, "a, b" rater'}, "RANKLOOP_ROLES.*double quotes"),
        (
            {
                "ROLES": '"CN=dev,OU=x"=rater',
                "PROXY_GROUPS_HEADER": "G",
                "PROXY_USER_HEADER": "P",
                "TRUSTED_PROXIES": "::1",
            },
            "'CN=dev,OU=x'.*RANKLOOP_PROXY_GROUPS_SEPARATOR",
        ),
        ({"TRUSTED_PROXIES": "10.0.0.1/8"}, "RANKLOOP_TRUSTED_PROXIES.*network"),
        ({"PROXY_USER_HEADER": "X-Person"}, "needs RANKLOOP_TRUSTED_PROXIES"),
        ({"PROXY_USER_HEADER": "X Person", "TRUSTED_PROXIES": "::1"}, "RANKLOOP_PROXY_USER_HEADER.*letters"),
        ({"PROXY_GROUPS_HEADER": "X-Groups"}, "needs RANKLOOP_PROXY_USER_HEADER"),
        ({"OIDC_URL": "https://id.example/.well-known/openid-configuration"}, "needs RANKLOOP_OIDC_CLIENT_ID"),
        ({"OIDC_URL": "http://id.example", "OIDC_CLIENT_ID": "x"}, "RANKLOOP_OIDC_URL.*https"),
        ({"OIDC_URL": "https://id.example", "OIDC_CLIENT_ID": "x", "HOST": "0.0.0.0"}, "needs RANKLOOP_PUBLIC_URL"),
        ({"PUBLIC_URL": "ftp://code.example"}, "RANKLOOP_PUBLIC_URL.*https://code.example"),
    ],
)
def test_half_a_sign_in_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], says: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"RANKLOOP_{name}", value)
    with pytest.raises(InvalidInput, match=says):
        load_settings()


def test_a_group_with_a_comma_may_be_named_where_it_can_arrive_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**GROUPS, "ROLES": '"CN=dev,OU=x"=rater'}.items():
        monkeypatch.setenv(f"RANKLOOP_{name}", value)
    monkeypatch.setenv("RANKLOOP_PROXY_GROUPS_SEPARATOR", "|")
    assert Access(load_settings()).role_of(["CN=dev,OU=x"]) is Role.RATER

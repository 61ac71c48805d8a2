"""Where the server may listen."""

from __future__ import annotations

import socket

import pytest
from pydantic import SecretStr

from rankloop.serve import bind, check_address
from store.errors import Conflict, InvalidInput
from store.settings import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_needs_no_token(host: str) -> None:
    check_address(Settings(host=host))
    assert Settings(host=host).admin_token is None


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::"])
def test_any_other_address_needs_a_token(host: str) -> None:
    with pytest.raises(InvalidInput, match="RANKLOOP_ADMIN_TOKEN"):
        check_address(Settings(host=host))
    check_address(Settings(host=host, admin_token=SecretStr("s" * 40)))


def test_a_token_that_could_be_guessed_is_refused_where_others_may_guess() -> None:
    short = Settings(host="0.0.0.0", admin_token=SecretStr("s" * 15 + " "))
    with pytest.raises(InvalidInput, match="16 characters"):
        check_address(short)
    check_address(short.model_copy(update={"host": "127.0.0.1"}))


def test_the_way_back_from_a_sign_in_provider_is_known_before_other_machines_come_in() -> None:
    local = Settings(oidc_url="https://id.example", oidc_client_id="rankloop", admin_token=SecretStr("s" * 40))
    check_address(local)
    with pytest.raises(InvalidInput, match="RANKLOOP_PUBLIC_URL"):
        check_address(local.model_copy(update={"host": "0.0.0.0"}))
    check_address(local.model_copy(update={"host": "0.0.0.0", "public_url": "https://code.example"}))


def test_a_name_that_is_no_address_is_refused() -> None:
    with pytest.raises(InvalidInput, match="RANKLOOP_HOST"):
        check_address(Settings(host="example.invalid"))


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=str(port)):
            bind(Settings(port=port))

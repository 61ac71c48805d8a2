"""OpenID Connect: where people are sent to sign in, and who comes back. The only file that knows Authlib.

Authorization code with PKCE. State, nonce and code verifier of one attempt are derived from one random secret that only
the browser keeps (in a cookie), so that nothing is stored here and an attempt can end only where it began. A token is
believed when its signature is one of the provider's asymmetric keys and issuer, audience, expiry and nonce are right
(OpenID Connect Core 1.0, section 3.1.3.7).
"""

from __future__ import annotations

import base64
import hmac
import logging
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from server.access import account_name, group_names
from server.problems import SignInNeeded
from store.errors import InvalidInput, Unavailable
from store.settings import Settings, is_loopback
from store.types import Json

CALLBACK = "/api/session/oidc/callback"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures that only the provider can make; a shared secret or none at all is not among them."""
TIMEOUT_S = 10.0
LEEWAY_S = 60
"""By which the provider's clock may differ."""
METADATA_LIFE_S = 3600.0
FAILURE_LIFE_S = 5.0
"""For so long a provider that did not answer is not asked again; then by one request at a time."""
_WELL_KNOWN = "/.well-known/openid-configuration"
_NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in, as the provider says."""

    name: str
    groups: frozenset[str]


class Provider:
    """One OpenID Connect provider. Safe to share between threads; ``now`` is in seconds since the epoch."""

    def __init__(self, settings: Settings) -> None:
        assert settings.oidc_url is not None
        self._url = settings.oidc_url
        self._id = settings.oidc_client_id
        self._secret = None if settings.oidc_client_secret is None else settings.oidc_client_secret.get_secret_value()
        self._scopes = settings.oidc_scopes
        self._name_claim = settings.oidc_name_claim
        self._verified = settings.oidc_name_claim == "email" and settings.oidc_require_email_verified
        self._groups_claim = settings.oidc_groups_claim
        self._back = (settings.public_url or f"http://{settings.host}:{settings.port}") + CALLBACK
        self._lock = Lock()
        self._metadata: tuple[float, Json] | None = None
        self._failed: tuple[float, str] | None = None
        """When (on the monotonic clock) and how the provider last failed to describe itself."""
        self._keys: KeySet | None = None

    def begin(self, secret: str, now: float) -> str:
        """The address where an attempt begins. Raises Unavailable when the provider does not answer."""
        known = self._about(now)
        with self._client(known) as client:
            url, _ = client.create_authorization_url(
                known["authorization_endpoint"],
                state=_derived(secret, "state"),
                nonce=_derived(secret, "nonce"),
                code_verifier=_derived(secret, "verifier"),
            )
        return str(url)

    def finish(self, secret: str, came_back: Mapping[str, str], now: float) -> Person:
        """Who signed in. ``came_back`` is the query that the provider sent the browser back with.

        Raises SignInNeeded when it proves nothing, Unavailable when the provider does not answer.
        """
        if not secret or not hmac.compare_digest(
            came_back.get("state", "").encode(), _derived(secret, "state").encode()
        ):
            raise SignInNeeded("This sign-in did not begin in this browser, or too long ago.")
        if "error" in came_back:
            raise SignInNeeded(f"The sign-in provider refused: {came_back['error'][:100]!r}.")
        known = self._about(now)
        if came_back.get("iss", known["issuer"]) != known["issuer"]:
            raise SignInNeeded("The answer came from another sign-in provider than was asked.")
        try:
            with self._client(known) as client:
                token = client.fetch_token(
                    known["token_endpoint"],
                    grant_type="authorization_code",
                    code=came_back.get("code", ""),
                    code_verifier=_derived(secret, "verifier"),
                )
                claims = self._checked(known, token, _derived(secret, "nonce"), now)
                return self._person(self._completed(client, known, claims))
        except OAuthError as error:
            raise SignInNeeded(f"The sign-in provider refused the code: {str(error.error)[:100]!r}.") from error
        except (JoseError, ValueError, KeyError, TypeError) as error:
            log.warning("a sign-in could not be verified: %s: %s", type(error).__name__, error)
            raise SignInNeeded(
                "What the sign-in provider sent could not be verified; the server's log says why."
            ) from error

    def _checked(self, known: Json, token: Json, nonce: str, now: float) -> Json:
        """The claims of an ID token that is believed. Raises JoseError, ValueError, KeyError or TypeError."""
        try:
            decoded = jwt.decode(token["id_token"], self._key_set(known), algorithms=ALGORITHMS)
        except InvalidKeyIdError:  # the provider has changed its keys
            self._keys = None
            decoded = jwt.decode(token["id_token"], self._key_set(known), algorithms=ALGORITHMS)
        must = {
            "iss": {"essential": True, "value": known["issuer"]},
            "aud": {"essential": True, "value": self._id},
            "exp": {"essential": True},
            "nonce": {"essential": True},
        }
        bound = {"nonce": nonce, "client_id": self._id, "access_token": token.get("access_token")}
        claims = CodeIDToken(decoded.claims, decoded.header, must, bound)
        claims.validate(now=int(now), leeway=LEEWAY_S)
        return dict(claims)

    def _completed(self, client: Any, known: Json, claims: Json) -> Json:
        """Claims that the ID token lacks, from the provider's userinfo; what is signed stays as it is."""
        wanted = [self._name_claim, self._groups_claim, *(["email_verified"] if self._verified else [])]
        if "userinfo_endpoint" not in known or all(_claim(claims, name) is not None for name in wanted):
            return claims
        with _reached(self._url):
            answer = client.get(known["userinfo_endpoint"])
            answer.raise_for_status()
        more: Json = answer.json()
        if more.get("sub") != claims["sub"]:
            raise ValueError("userinfo is about somebody else")
        return {**more, **claims}

    def _person(self, claims: Json) -> Person:
        named = _claim(claims, self._name_claim)
        if not isinstance(named, str):
            raise SignInNeeded(
                f"The sign-in provider sends no {self._name_claim!r}; RANKLOOP_OIDC_NAME_CLAIM names it."
            )
        said = claims.get("email_verified")
        verified = said is True or said == "true" or (said is None and not self._verified)
        if self._name_claim == "email" and not verified:
            raise SignInNeeded(
                "The sign-in provider has not verified your e-mail address, or does not say so; administrators set "
                "RANKLOOP_OIDC_REQUIRE_EMAIL_VERIFIED."
            )
        listed = _claim(claims, self._groups_claim)
        groups = [listed] if isinstance(listed, str) else listed if isinstance(listed, list) else []
        try:
            name = account_name(named, "the sign-in provider's name for you")
        except InvalidInput as error:
            raise SignInNeeded(error.message) from error
        return Person(name, group_names(group for group in groups if isinstance(group, str)))

    @contextmanager
    def _client(self, known: Json) -> Iterator[Any]:
        methods = known.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        basic = self._secret is None or "client_secret_basic" in methods
        client = OAuth2Client(
            self._id,
            self._secret,
            token_endpoint_auth_method=None if basic else "client_secret_post",
            scope=self._scopes,
            redirect_uri=self._back,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
        )
        with _reached(self._url), client:
            yield client

    def _about(self, now: float) -> Json:
        """The provider's description of itself, an hour old at most. Raises Unavailable."""
        known, failed = self._metadata, self._failed
        if known is not None and 0 <= now - known[0] < METADATA_LIFE_S:
            return known[1]
        # While the provider is down, one request waits for it and the others are told at once.
        if not self._lock.acquire(blocking=failed is None):
            raise Unavailable(failed[1] if failed else "")
        try:
            return self._asked(now)
        finally:
            self._lock.release()

    def _asked(self, now: float) -> Json:
        known, failed = self._metadata, self._failed
        if known is not None and 0 <= now - known[0] < METADATA_LIFE_S:
            return known[1]
        if failed is not None and time.monotonic() - failed[0] < FAILURE_LIFE_S:
            raise Unavailable(failed[1])
        try:
            self._metadata, self._keys = (now, self._described()), None
        except Unavailable as error:
            self._failed = (time.monotonic(), error.message)
            raise
        self._failed = None
        return self._metadata[1]

    def _described(self) -> Json:
        known: Json = _json(self._url)
        missing = [name for name in _NEEDED if not isinstance(known.get(name), str)]
        if missing:
            raise Unavailable(f"the sign-in provider's description at {self._url} lacks {', '.join(missing)}")
        for name in _NEEDED[1:]:
            parts = urlsplit(known[name])
            if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
                raise Unavailable(f"the sign-in provider's {name} is not https")
        if self._url.endswith(_WELL_KNOWN) and known["issuer"].rstrip("/") != self._url.removesuffix(_WELL_KNOWN):
            raise Unavailable(f"the description at {self._url} is that of another provider, {known['issuer']!r}")
        return known

    def _key_set(self, known: Json) -> KeySet:
        if self._keys is None:
            self._keys = KeySet.import_key_set(_json(known["jwks_uri"]))  # type: ignore[arg-type]
        return self._keys


def new_secret() -> str:
    """What an attempt to sign in is derived from."""
    return secrets.token_urlsafe(32)


def _derived(secret: str, use: str) -> str:
    """43 characters (256 bits) for one use, which tell nothing about the secret or the others."""
    digest = hmac.digest(secret.encode(), use.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _claim(claims: Json, path: str) -> Any:
    """A claim by name, or by a path with dots into objects; None when there is none."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _json(url: str) -> Json:
    with _reached(url):
        answer = httpx2.get(url, timeout=TIMEOUT_S)
        answer.raise_for_status()
        try:
            body: Any = answer.json()
        except ValueError as error:
            raise Unavailable(f"the sign-in provider sends no JSON at {url}") from error
    if not isinstance(body, dict):
        raise Unavailable(f"the sign-in provider sends no JSON object at {url}")
    return body


@contextmanager
def _reached(url: str) -> Iterator[None]:
    try:
        yield
    except httpx2.HTTPError as error:
        raise Unavailable(f"the sign-in provider at {url} does not answer: {error}") from error

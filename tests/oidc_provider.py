"""A small OpenID Connect provider: real HTTP on loopback, real signed tokens, and told by tests how to misbehave."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "rankloop", "a client's secret: with a colon"
VERIFIED = {"email": "ada@example.org", "email_verified": True}
KEY = RSAKey.generate_key(2048, {"kid": "first", "alg": "RS256", "use": "sig"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "first", "alg": "RS256", "use": "sig"})
NEW_KEY = RSAKey.generate_key(2048, {"kid": "second", "alg": "RS256", "use": "sig"})


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Provider:
    """Signs in whoever ``claims`` describes. ``changed`` overrides what the ID token says; None takes a claim out."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "1", **VERIFIED, "groups": ["dev"]})
    changed: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    described: dict[str, Any] = field(default_factory=dict)
    signed_by: RSAKey = field(default_factory=lambda: KEY)
    published: RSAKey = field(default_factory=lambda: KEY)
    algorithm: str = "RS256"
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    exchanges: int = 0

    @property
    def discovery(self) -> str:
        return f"{self.url}/.well-known/openid-configuration"

    def description(self) -> dict[str, Any]:
        places = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        known = {f"{name}_endpoint": f"{self.url}/{path}" for name, path in places.items()}
        return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks", **known} | self.described

    def authorize(self, query: dict[str, str]) -> str:
        """Where a person who says yes is sent back to."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], 'iss': self.url})}"

    def exchange(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The token endpoint: a code is good once, for who asked for it, with the verifier of its challenge."""
        self.exchanges += 1
        # RFC 6749, 2.3.1, has the two form-encoded first; like most providers this one takes them as they are.
        if authorization != "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode():
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = base64url(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if asked is None or challenge != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **self.claims}
        said = {name: value for name, value in (claims | self.changed).items() if value is not None}
        return 200, {"access_token": "opaque", "token_type": "Bearer", "id_token": self.sign(said)}

    def sign(self, claims: dict[str, Any]) -> str:
        """By the provider's key; without any signature; or as HS256, where the published key is the "secret"."""
        header = {"alg": self.algorithm, "kid": self.signed_by.kid}
        if self.algorithm in ("none", "HS256"):
            signed = f"{base64url(json.dumps(header).encode())}.{base64url(json.dumps(claims).encode())}"
            public = self.published.as_pem(private=False)
            forged = hmac.digest(public, signed.encode(), "sha256") if self.algorithm == "HS256" else b""
            return f"{signed}.{base64url(forged)}"
        return jwt.encode(header, claims, self.signed_by, algorithms=[self.algorithm])


@contextmanager
def provider() -> Iterator[Provider]:
    """Serve one on a free port."""
    this = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place = urlsplit(self.path)
            match place.path:
                case "/.well-known/openid-configuration":
                    self._json(200, this.description())
                case "/jwks":
                    self._json(200, {"keys": [this.published.as_dict(private=False)]})
                case "/userinfo" if self.headers["Authorization"] == "Bearer opaque":
                    self._json(200, this.userinfo or {"sub": this.claims["sub"]})
                case "/authorize":
                    self.send_response(303)
                    self.send_header("Location", this.authorize(dict(parse_qsl(place.query))))
                    self.end_headers()
                case _:
                    self._json(404, {})

        def do_POST(self) -> None:
            form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self._json(*this.exchange(form, self.headers.get("Authorization", "")))

        def _json(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    this.url = f"http://localhost:{server.server_port}"
    try:
        yield this
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

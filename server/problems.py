"""Errors as bodies: every failure, whatever raised it, reads ``{"error": {"code", "message"}}``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from store.errors import (
    Busy,
    Cancelled,
    Conflict,
    Forbidden,
    InvalidInput,
    ModelRefused,
    NotFound,
    RankloopError,
    Unavailable,
)
from store.types import Json


class SignInNeeded(Forbidden):
    """Nothing says who calls, or what says so is no longer valid."""

    code = "sign_in_needed"


class SignInOff(Forbidden):
    """People can't sign in here, and nobody else may."""

    code = "sign_in_off"


class TooMany(RankloopError):
    """Somebody acts more often than is allowed. ``seconds``: when to try again."""

    code = "too_many"

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class CallerLeft(Cancelled):
    """The client closed the connection; the status is for the metrics, as nobody reads it."""

    code = "caller_left"


_STATUS: Sequence[tuple[type[RankloopError], int]] = (
    (SignInNeeded, 401),
    (Forbidden, 403),
    (TooMany, 429),
    (InvalidInput, 422),
    (NotFound, 404),
    (Conflict, 409),
    (ModelRefused, 409),
    (CallerLeft, 499),
    (Cancelled, 409),
    (Busy, 503),
    (Unavailable, 503),
)
_RETRY = {Busy: "2", Unavailable: "5"}
_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}


def body(code: str, message: str) -> Json:
    """The body of every failed call."""
    return {"error": {"code": code, "message": message}}


def status_of(error: RankloopError) -> int:
    """HTTP status of an error of ours; 500 for a kind without one."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def headers_of(error: RankloopError) -> dict[str, str]:
    """When to try again, or how to sign in."""
    if isinstance(error, SignInNeeded):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, TooMany):
        return {"Retry-After": str(error.seconds)}
    return next(({"Retry-After": after} for kind, after in _RETRY.items() if isinstance(error, kind)), {})


def code_of(status: int) -> str:
    """A word for the statuses that the framework itself answers with."""
    return _CODES.get(status, "error")


def invalid(errors: Sequence[Mapping[str, Any]]) -> tuple[int, Json]:
    """Status and body of a request that does not fit its schema, in a sentence a person can act on."""
    if any(error["type"] == "json_invalid" for error in errors):
        return 400, body("invalid_json", "The body is not valid JSON.")
    sentences = [_sentence(error) for error in errors[:3]]
    more = len(errors) - len(sentences)
    return 422, body("invalid_input", " ".join(sentences) + (f" And {more} more." if more > 0 else ""))


def _sentence(error: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"][1:]) or "The body"
    kind, message = error["type"], str(error["msg"])
    if kind == "missing":
        return f"{place} is missing."
    if kind == "extra_forbidden":
        return f"{place} is not a field of this call."
    if kind == "string_unicode":
        return f"{place} contains half a character (a lone surrogate)."
    message = message.removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    return f"{place} {message}.".replace("..", ".")

"""Errors by kind. Each carries a message that a person can act on.

RankloopError
├── InvalidInput      the caller's input is wrong (HTTP 422 / 400)
├── NotFound          no such thing (404)
├── Conflict          the state forbids it now (409)
├── Forbidden         not allowed (401 / 403)
├── Busy              try again later (503)
├── ModelRefused      a model directory that must not be served: the reason says why
├── Unavailable       a part that is needed does not answer (503)
└── Cancelled         a job was asked to stop
"""

from __future__ import annotations


class RankloopError(Exception):
    """Base of every error that Rankloop raises on purpose."""

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(RankloopError):
    code = "invalid_input"


class NotFound(RankloopError):
    code = "not_found"


class Conflict(RankloopError):
    code = "conflict"


class Forbidden(RankloopError):
    code = "forbidden"


class Busy(RankloopError):
    code = "busy"


class ModelRefused(RankloopError):
    code = "model_refused"


class Unavailable(RankloopError):
    code = "unavailable"


class Cancelled(RankloopError):
    code = "cancelled"

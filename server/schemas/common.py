"""What all bodies share: bases, checked text, errors."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

MAX_QUESTION = 8000
MAX_ID = 2**53 - 1
"""The largest whole number that JSON's readers agree on; SQLite counts from 1."""


class View(BaseModel):
    """A response body; builds itself from the dataclass of the same fields."""

    model_config = ConfigDict(from_attributes=True, json_schema_serialization_defaults_required=True)


class Form(BaseModel):
    """A request body; names it does not know are refused rather than ignored, and "5" is no number."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _whole_numbers(cls, values: Any) -> Any:
        """JSON knows one kind of number: 5.0 is the integer 5."""
        return {name: _whole(value) for name, value in values.items()} if isinstance(values, dict) else values


class QueryForm(BaseModel):
    """What an address asks for, where everything is text; names it does not know are refused."""

    model_config = ConfigDict(extra="forbid")


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain NUL characters")
    return text


NO_NUL = {"pattern": r"^[^\u0000]*$"}
"""For the description: what ``store.checks.clean`` refuses."""
_SPACE = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What stripping takes away; regular expressions of other languages know less by ``\\s``."""
NOT_BLANK = {"pattern": rf"^[^\u0000]*[^\u0000{_SPACE}][^\u0000]*$"}
_NOT_BLANK = Field(json_schema_extra={**NOT_BLANK})
"""What stripping and ``_no_nul`` ask for, said in the description."""
_ANY_TEXT = Field(json_schema_extra={**NO_NUL})
Question = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION),
    AfterValidator(_no_nul),
    _NOT_BLANK,
]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_no_nul), _NOT_BLANK
]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000), AfterValidator(_no_nul), _ANY_TEXT]
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(_no_nul), _NOT_BLANK
]
Why = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), AfterValidator(_no_nul), _NOT_BLANK
]
ChunkId = Annotated[int, Field(strict=True, ge=1, le=MAX_ID)]
Timings = dict[str, float]


class ErrorDetail(View):
    code: str
    message: str


class ErrorBody(View):
    """Every failed call answers with this."""

    error: ErrorDetail

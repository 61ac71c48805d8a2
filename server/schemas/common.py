"""What all bodies share: bases, checked text, errors."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

MAX_QUESTION = 8000
MAX_ID = 2**63 - 1


class View(BaseModel):
    """A response body; builds itself from the dataclass of the same fields."""

    model_config = ConfigDict(from_attributes=True, json_schema_serialization_defaults_required=True)


class Form(BaseModel):
    """A request body; names it does not know are refused rather than ignored."""

    model_config = ConfigDict(extra="forbid")


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain NUL characters")
    return text


Question = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION), AfterValidator(_no_nul)
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_no_nul)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000), AfterValidator(_no_nul)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(_no_nul)]
Why = Annotated[Note, Field(min_length=1)]
ChunkId = Annotated[int, Field(strict=True, ge=1, le=MAX_ID)]
Timings = dict[str, float]


class ErrorDetail(View):
    code: str
    message: str


class ErrorBody(View):
    """Every failed call answers with this."""

    error: ErrorDetail

"""Jobs: start, list, watch, cancel."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from server.deps import Admin, Id
from server.schemas.common import MAX_ID
from server.schemas.jobs import JobAccepted, JobEvents, JobForm, JobList, JobView
from store.errors import Unavailable
from store.types import JobKind

router = APIRouter(prefix="/jobs")


@router.post("", status_code=202)
def start_job(admin: Admin, form: JobForm) -> JobAccepted:
    """Queue a job."""
    raise Unavailable("the server is starting")


@router.get("")
def list_jobs(admin: Admin, kind: JobKind | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> JobList:
    """Jobs, newest first."""
    raise Unavailable("the server is starting")


@router.get("/{job_id}")
def get_job(admin: Admin, job_id: Id) -> JobView:
    """A job with stage, progress, error and result."""
    raise Unavailable("the server is starting")


@router.get(
    "/{job_id}/events",
    response_model=JobEvents,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def job_events(
    admin: Admin, job_id: Id, after: Annotated[int, Query(ge=0, le=MAX_ID)] = 0, stream: bool = True
) -> Response | JobEvents:
    """Live log as server-sent events log, job, end; with stream=false the lines so far as JSON."""
    raise Unavailable("the server is starting")


@router.post("/{job_id}/cancel")
def cancel_job(admin: Admin, job_id: Id) -> JobView:
    """Ask a job to stop."""
    raise Unavailable("the server is starting")

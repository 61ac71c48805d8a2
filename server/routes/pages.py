"""The two pages, their assets, and the description of the calls."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException

from server import docs_page
from server.deps import Guest

router = APIRouter(include_in_schema=False)
STATIC = Path(__file__).resolve().parent.parent / "static"
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
FRESH = {"Cache-Control": "no-cache"}
_NOT_BUILT = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Rankloop</title><h1>The pages are not built yet</h1>'
    "<p>Run <code>make run</code>, or <code>make gui</code> to build only them, then reload. The HTTP calls work "
    'already: <a href="/docs">their description</a>.</p></html>'
)


@router.get("/")
def chat_page(guest: Guest) -> Response:  # noqa: ARG001 - the first visit gives the visitor a name
    """The chat."""
    return _page("index.html")


@router.get("/admin")
@router.get("/admin/{_rest:path}")
def admin_page(guest: Guest) -> Response:  # noqa: ARG001
    """The admin page; it asks for a sign-in itself."""
    return _page("admin.html")


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """The calls, described."""
    return HTMLResponse(docs_page.page(request.app.openapi()))


@router.get("/docs.css")
def docs_style() -> Response:
    """The look of the description."""
    return Response(docs_page.STYLE, media_type="text/css")


@router.get("/{file:path}")
def asset(file: str) -> Response:
    """A file of the built pages. Those below ``assets/`` carry a hash in their name and never change."""
    if "\0" in file or file.startswith("api/"):
        raise HTTPException(404)
    try:
        path = (STATIC / file).resolve()
        there = path.is_relative_to(STATIC) and path.is_file()
    except OSError:  # a name that is longer than the file system's may be
        there = False
    if not there:
        raise HTTPException(404)
    return FileResponse(path, headers=FOREVER if file.startswith("assets/") else FRESH)


def _page(name: str) -> Response:
    path = STATIC / name
    if not path.is_file():
        path = STATIC / "index.html"
    return FileResponse(path, headers=FRESH) if path.is_file() else HTMLResponse(_NOT_BUILT)

"""The public description: the joined document, a page to read it, and a page for partners who begin."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway.bootstrap import Container

router = APIRouter(include_in_schema=False)
_PAGES = Path(__file__).parent / "pages"
_POLICY = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}


@cache
def _page(name: str) -> str:
    return (_PAGES / name).read_text(encoding="utf-8")


@router.get("/")
async def root() -> Response:
    """The reference is the front page."""
    return RedirectResponse("/docs")


@router.get("/docs")
async def docs() -> Response:
    """Every operation, its parameters and answers, with a form to try it. Needs nothing from other sites."""
    return HTMLResponse(_page("reference.html"), headers=_POLICY)


@router.get("/docs/reference.js")
async def script() -> Response:
    """The reference page's script."""
    return Response(
        _page("reference.js"), media_type="text/javascript; charset=utf-8", headers={"cache-control": "max-age=300"}
    )


@router.get("/docs/reference.css")
async def style() -> Response:
    """The reference page's style."""
    return Response(
        _page("reference.css"), media_type="text/css; charset=utf-8", headers={"cache-control": "max-age=300"}
    )


@router.get("/partners")
async def partners(request: Request) -> Response:
    """From nothing to a first booking with a test key."""
    container: Container = request.app.state.container
    return HTMLResponse(_page("partners.html").replace("{{base}}", container.settings.public_url), headers=_POLICY)


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """All public operations in one OpenAPI 3.1 document."""
    container: Container = request.app.state.container
    return Response(
        container.paths.joined(), media_type="application/json", headers={"access-control-allow-origin": "*"}
    )

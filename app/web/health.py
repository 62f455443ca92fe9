"""`/health/live` and `/health/ready`."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from app.ports import Ports


@get("/health/live", include_in_schema=False, sync_to_thread=False)
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@get("/health/ready", include_in_schema=False)
async def ready(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
    """The database answers too."""
    ports: Ports = request.app.state.ports
    try:
        async with ports.read() as work:
            await work.people.any_organization()
    except Exception as problem:  # whatever it is, the program is not ready
        return Response({"status": "unavailable", "reason": type(problem).__name__}, status_code=503)
    return Response({"status": "ready"})

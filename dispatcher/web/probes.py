"""What machines ask of the process itself: is it alive, can it do its job, what are its figures."""

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from dispatcher.web.state import context_of

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """200 when the engine can do its job, else 503; with each problem, also those that do not keep it from its job."""
    health = context_of(request).health
    return JSONResponse({"ready": health.ready, "problems": health.problems()}, status_code=200 if health.ready else 503)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """All figures in Prometheus' text format."""
    return Response(generate_latest(context_of(request).metrics), media_type=CONTENT_TYPE_LATEST)

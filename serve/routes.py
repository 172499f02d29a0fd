"""The scorer's HTTP surface: Open Inference Protocol v2 and /metrics, as a FastAPI application.

Owns paths and statuses. A request takes its generation once, when its body is here, and keeps it. The
handlers wait for the body and for nothing else: an answer is a few microseconds of computing.
"""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI, HTTPException, Request, Response

from hotpath.clock import Micros
from hotpath.errors import BadInput
from serve import infer
from serve.generation import Generation
from serve.http import answered, error, handle_errors, json_body, refusal
from serve.scorer import Scorer
from serve.slots import Slots

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def application(scorer: Scorer, slots: Slots) -> FastAPI:
    """Every route of the scorer."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    handle_errors(app)
    _scoring(app, scorer, slots)
    _models(app, slots)
    _server(app, scorer, slots)
    return app


def _scoring(app: FastAPI, scorer: Scorer, slots: Slots) -> None:
    @app.post("/v2/models/{name}/infer")
    async def infer_(name: str, request: Request) -> Response:
        asked_at, start, status = scorer.clock.now(), scorer.clock.elapsed(), 500
        try:
            response = await _infer(scorer, slots, name, request, asked_at)
            status = response.status_code
            return response
        except HTTPException as refused:
            status = refused.status_code
            raise
        finally:
            scorer.finished(name, status, scorer.clock.elapsed() - start)


async def _infer(scorer: Scorer, slots: Slots, name: str, request: Request, asked_at: Micros) -> Response:
    live_model(slots, name)
    raw = await json_body(request)
    try:
        body = scorer.parsed(name, raw)
    except BadInput as found:
        raise refusal(400, found) from found
    try:
        return answered(scorer.infer(live_model(slots, name), body, asked_at))
    except BadInput as found:
        raise refusal(422, found) from found


def _models(app: FastAPI, slots: Slots) -> None:
    @app.get("/v2/models/{name}")
    async def model(name: str) -> Response:
        return answered(infer.metadata(live_model(slots, name)))

    @app.get("/v2/models/{name}/ready")
    async def model_ready(name: str) -> Response:
        live = slots.all()
        if name not in live:
            raise unknown_model()
        ready = live[name] is not None
        return answered({"name": name, "ready": ready}, 200 if ready else 503)


def _server(app: FastAPI, scorer: Scorer, slots: Slots) -> None:
    @app.get("/v2")
    async def server() -> Response:
        return answered({"name": "hotpath", "version": version("hotpath"), "extensions": []})

    @app.get("/v2/health/live")
    async def live() -> Response:
        return answered({"live": True, "ready": slots.ready})

    @app.get("/v2/health/ready")
    async def ready() -> Response:
        return answered({"live": True, "ready": slots.ready}, 200 if slots.ready else 503)

    @app.get("/metrics")
    async def metrics() -> Response:
        page = scorer.metrics.rendered(slots.all(), scorer.clock.now(), scorer.breaker)
        return Response(page, media_type=METRICS_TYPE)


def live_model(slots: Slots, name: str) -> Generation:
    """What answers for `name` just now. Raises 404 where nobody serves it, 503 where none is verified yet."""
    try:
        generation = slots.live(name)
    except KeyError as missing:
        raise unknown_model() from missing
    if generation is None:
        raise error(503, "model: no verified generation is live yet")
    return generation


def unknown_model() -> HTTPException:
    """404, without the name."""
    return error(404, "model: expected one that is served here")

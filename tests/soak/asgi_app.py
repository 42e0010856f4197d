"""The ASGI app of the soak: `/ask/<resource>?seconds=0.3`, and `/status`."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reloadcheck import Snapshot
from reloadcheck.asgi import ReloadCheckMiddleware

from .asks_async import ASYNC
from .engines import engine, told
from .matrix import Settings

watch, handles = engine("async", lambda watch, name: watch.async_factory(ASYNC[name].factory))


async def ask(request: Request) -> Response:
    """Ask the server behind a resource, and tell what was seen."""
    snapshot: Snapshot[Settings] = request.state.snapshot
    name = request.path_params["name"]
    client = snapshot[handles[name]]
    with watch.using(snapshot.version, name):
        said = await ASYNC[name].ask(client, float(request.query_params["seconds"]))
        return JSONResponse(told(watch, snapshot, handles[name], client, said))


async def status(_: Request) -> Response:
    """Return how this process is."""
    return JSONResponse(watch.report())


app = ReloadCheckMiddleware(
    Starlette(routes=[Route("/ask/{name}", ask), Route("/status", status)]), watch.live
)

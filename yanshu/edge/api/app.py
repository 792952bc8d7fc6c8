"""The HTTP application: the table of endpoints, the pages beside them, and the one door before both."""

from yanshu import __version__
from yanshu.edge.api.door import Door
from yanshu.edge.api.endpoints import Endpoint
from yanshu.edge.api.gate import Gate
from yanshu.edge.api.openapi import describe
from yanshu.edge.api.paths import Paths
from yanshu.edge.api.routes import (
    batches,
    binds,
    connectors,
    events,
    inbound,
    incidents,
    keys,
    messages,
    numbers,
    receipt_codes,
    routes,
    sandbox,
    webhooks,
    workspaces,
)
from yanshu.edge.api.services import Services
from yanshu.edge.api.system import Page, make_pages
from yanshu.edge.exchange import Application

ENDPOINTS: tuple[Endpoint, ...] = (
    *messages.ENDPOINTS,
    *batches.ENDPOINTS,
    *inbound.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *events.ENDPOINTS,
    *connectors.ENDPOINTS,
    *incidents.ENDPOINTS,
    *routes.ENDPOINTS,
    *numbers.ENDPOINTS,
    *receipt_codes.ENDPOINTS,
    *binds.ENDPOINTS,
    *keys.ENDPOINTS,
    *workspaces.ENDPOINTS,
    *sandbox.ENDPOINTS,
)


def build_app(services: Services, gate: Gate) -> Application:
    """Return the ASGI application."""
    pages = make_pages(services, describe(ENDPOINTS, __version__, services.settings.public_url.rstrip("/")))
    paths: Paths[Endpoint | Page] = Paths((*ENDPOINTS, *pages))
    return Door(services, gate, paths)

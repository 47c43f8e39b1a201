"""Absolute addresses of this service, as the world outside calls it."""

from functools import lru_cache

from starlette.datastructures import URL
from starlette.requests import HTTPConnection

from radiology.app import App


def origin_of(connection: HTTPConnection) -> str:
    """Scheme, host and port, and what a proxy puts before our paths: `public_url`, else as this client called us."""
    app: App = connection.app.state.app
    host = connection.headers.get("host")
    return app.settings.public_url or (_of_host(connection.scope["scheme"], host) if host else _of(connection.url))


@lru_cache(maxsize=256)
def _of_host(scheme: str, host: str) -> str:
    return _of(URL(f"{scheme}://{host}"))


def _of(url: URL) -> str:
    return f"{url.scheme}://{url.netloc}"

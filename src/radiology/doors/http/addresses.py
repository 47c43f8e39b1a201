"""Absolute addresses of this service, as the world outside calls it."""

from starlette.requests import HTTPConnection

from radiology.app import App


def origin_of(connection: HTTPConnection) -> str:
    """Scheme, host and port, and what a proxy puts before our paths: `public_url`, else as this client called us."""
    app: App = connection.app.state.app
    return app.settings.public_url or f"{connection.url.scheme}://{connection.url.netloc}"

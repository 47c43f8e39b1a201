"""An issuer whose keys and answers a test decides: discovery, keys, codes, on a port of its own."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, AUDIENCE = "radiology", "https://radiology.test/api"
Key = RSAKey | ECKey


def rsa(kid: str = "rsa") -> RSAKey:
    """A new key for RS256 and PS256."""
    return RSAKey.generate_key(2048, {"kid": kid})


def ec(kid: str = "ec") -> ECKey:
    """A new key for ES256."""
    return ECKey.generate_key("P-256", {"kid": kid})


class Issuer:
    """What it answers. `metadata` changes what it says of itself, `answer` is that of the token endpoint."""

    def __init__(self, url: str, *keys: Key) -> None:
        self.url = url
        self.keys: list[Key] = list(keys)
        self.metadata: dict[str, Any] = {}
        self.answer: tuple[int, dict[str, Any]] = (400, {"error": "invalid_grant"})
        self.asked: Counter[str] = Counter()
        self.headers: dict[str, str] = {}
        self.status = 200

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Those of an access token that is good for five minutes; None leaves one out."""
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": "u-1", "iat": now, "exp": now + 300, **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def sign(self, key: Key | None = None, algorithm: str = "RS256", **changed: Any) -> str:
        """A token of this issuer."""
        key = key or self.keys[0]
        return jwt.encode({"alg": algorithm, "kid": key.kid}, self.claims(**changed), key, algorithms=[algorithm])

    def respond(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and body for a path."""
        self.asked[path] += 1
        if path == "/token":
            return self.answer
        if path == "/keys":
            return self.status, {"keys": [key.as_dict(private=False) for key in self.keys]}
        if path != "/.well-known/openid-configuration":
            return 404, {}
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        said = {"issuer": self.url} | {name: f"{self.url}/{place}" for name, place in names.items()}
        return self.status, said | self.metadata


@contextmanager
def running(*keys: Key) -> Iterator[Issuer]:
    """The issuer, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = issuer.respond(self.path)
            content = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **issuer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = Issuer(f"http://127.0.0.1:{server.server_port}", *keys)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

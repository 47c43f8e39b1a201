"""The identity provider: where it answers, its keys, and the calls that sign somebody in (OpenID Connect).

Endpoints are those of OpenID Connect Discovery 1.0.

Nothing is called but what the configured issuer names as its own, and no redirect is followed. What was learned from it
stays in use while it is away.
"""

import asyncio
import ssl
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast
from urllib.parse import quote, urlsplit

import httpx2

from radiology.access.signed_tokens import Claims, Header, Key, claims_of, header_of, key_for, keys_of
from radiology.errors import NotAuthenticated, Unavailable, Unprocessable
from radiology.kit.clock import monotonic_seconds
from radiology.kit.log import get_logger
from radiology.kit.outgoing import must_be_callable
from radiology.settings import Settings

CALL_SECONDS: Final = 5.0
LARGEST_ANSWER_BYTES: Final = 1024 * 1024
KNOWN_FOR_SECONDS: Final = 3600.0
#: A key that is not known is asked for at most so often: tokens with made-up keys must not make us call.
ASKED_AGAIN_AFTER_SECONDS: Final = 30.0
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the provider says of itself (OpenID Connect Discovery 1.0 section 3; RP-Initiated Logout 1.0 2.1)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    end_session_endpoint: str
    secret_in_body: bool


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a code was exchanged for."""

    id_token: str
    access_token: str


class IdentityProvider:
    """One provider, as one process knows it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asking = asyncio.Lock()
        self._metadata: Metadata | None = None
        self._keys: dict[str, list[Key]] = {}
        self._metadata_until = self._keys_until = self._next_ask = 0.0

    @property
    def issuer(self) -> str:
        """Its name, which tokens carry; empty where none is configured."""
        return self._settings.oidc_issuer

    async def metadata(self) -> Metadata:
        """Its endpoints. Raises Unavailable where it cannot be asked and was never asked before."""
        async with self._asking:
            return await self._current_metadata()

    async def verified(self, token: str) -> Claims:
        """The claims of a token that it signed. Raises NotAuthenticated, Unavailable."""
        header = header_of(token)
        key = key_for(header, self._keys) if monotonic_seconds() < self._keys_until else None
        if key is None:
            key = await self._asked_key(header)
        return claims_of(token, header, key)

    async def exchange(self, code: str, *, verifier: str, redirect_uri: str) -> Tokens:
        """Exchange an authorization code (RFC 6749 4.1.3, RFC 7636 4.5). Raises NotAuthenticated, Unavailable."""
        metadata = await self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        client_id, secret = self._settings.oidc_client_id, self._settings.oidc_client_secret
        login = None
        if secret is None:
            form["client_id"] = client_id
        elif metadata.secret_in_body:
            form |= {"client_id": client_id, "client_secret": secret.get_secret_value()}
        else:
            login = (quote(client_id, safe=""), quote(secret.get_secret_value(), safe=""))
        status, told = await self._call("POST", metadata.token_endpoint, data=form, auth=login)
        id_token, access_token = told.get("id_token"), told.get("access_token")
        if status != 200 or not isinstance(id_token, str) or not isinstance(access_token, str):
            get_logger().warning("code refused by the identity provider", status_code=status)
            raise NotAuthenticated("The identity provider refused the code. Sign in again.")
        return Tokens(id_token, access_token)

    async def userinfo(self, access_token: str) -> Claims:
        """Further claims of whom an access token is about (OpenID Connect Core 5.3); none where it gives none."""
        endpoint = (await self.metadata()).userinfo_endpoint
        if not endpoint:
            return {}
        status, told = await self._call("GET", endpoint, headers={"Authorization": f"Bearer {access_token}"})
        return told if status == 200 else {}

    async def _asked_key(self, header: Header) -> Key:
        async with self._asking:
            await self._ask_keys(header)
            key = key_for(header, self._keys)
        if key is None:
            raise NotAuthenticated("This token is signed by a key that the identity provider does not name.")
        return key

    async def _ask_keys(self, header: Header) -> None:
        """Ask for the keys where it is time, or for one that is not known. Raises Unavailable if there are none yet."""
        now = monotonic_seconds()
        known = now < self._keys_until and key_for(header, self._keys) is not None
        if known or now < self._next_ask:
            return
        self._next_ask = now + ASKED_AGAIN_AFTER_SECONDS
        try:
            _, told = await self._call("GET", (await self._current_metadata()).jwks_uri, expected=200)
        except Unavailable:
            if not self._keys:
                self._next_ask = 0.0
                raise
            return
        self._keys, self._keys_until = keys_of(told), now + KNOWN_FOR_SECONDS

    async def _current_metadata(self) -> Metadata:
        now = monotonic_seconds()
        if self._metadata is not None and now < self._metadata_until:
            return self._metadata
        try:
            _, told = await self._call(
                "GET", self.issuer.rstrip("/") + "/.well-known/openid-configuration", expected=200
            )
            self._metadata = _metadata_of(told, self.issuer)
            self._metadata_until = now + KNOWN_FOR_SECONDS
        except Unavailable:
            if self._metadata is None:
                raise
            self._metadata_until = now + ASKED_AGAIN_AFTER_SECONDS
        return self._metadata

    async def _call(
        self, method: str, url: str, *, expected: int | None = None, **request: Any
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON object of an answer. Raises Unavailable where there is none, or another than expected."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await asyncio.to_thread(must_be_callable, url)
                status, body = await _answer(method, url, request)
            if expected not in (None, status):
                raise _away(url, f"answered {status}")
            told: Any = httpx2.Response(status, content=body).json() if body else {}
        except Unprocessable as error:
            raise Unavailable(f"The identity provider cannot be called. {error.sentence}") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            raise _away(url, type(error).__name__) from error
        except ValueError as error:
            raise _away(url, "answered no JSON") from error
        return status, cast("dict[str, Any]", told) if isinstance(told, dict) else {}


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """The authorities of this machine: a hospital has put its own among them."""
    return ssl.create_default_context()


async def _answer(method: str, url: str, request: dict[str, Any]) -> tuple[int, bytes]:
    body = bytearray()
    async with (
        httpx2.AsyncClient(verify=_trust(), timeout=CALL_SECONDS, follow_redirects=False, trust_env=False) as client,
        client.stream(method, url, **request) as answer,
    ):
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER_BYTES:
                raise _away(url, "answered with more than can be held")
    return answer.status_code, bytes(body)


def _away(url: str, reason: str) -> Unavailable:
    get_logger().warning("identity provider away", host=urlsplit(url).hostname, reason=reason)
    return Unavailable("The identity provider does not answer. Try again in a minute, or ask who runs it.")


def _metadata_of(told: dict[str, Any], issuer: str) -> Metadata:
    """Raises Unavailable where the answer is another issuer's (Discovery 4.3), or names what must not be called."""
    if told.get("issuer") != issuer:
        raise Unavailable(f"What answers at {issuer} says that it is another issuer. Compare `oidc_issuer` with it.")
    methods: Any = told.get("token_endpoint_auth_methods_supported", ("client_secret_basic",))
    return Metadata(
        authorization_endpoint=_endpoint(told, "authorization_endpoint", needed=True),
        token_endpoint=_endpoint(told, "token_endpoint", needed=True),
        jwks_uri=_endpoint(told, "jwks_uri", needed=True),
        userinfo_endpoint=_endpoint(told, "userinfo_endpoint"),
        end_session_endpoint=_endpoint(told, "end_session_endpoint"),
        secret_in_body="client_secret_basic" not in methods,
    )


def _endpoint(told: dict[str, Any], name: str, *, needed: bool = False) -> str:
    url: Any = told.get(name, "")
    if url == "" and not needed:
        return ""
    if not isinstance(url, str) or not is_safe(url):
        raise Unavailable(f"The {name} of the identity provider is missing or is no https address.")
    return url


def is_safe(url: str) -> bool:
    """Whether it is reached over TLS, or is on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)

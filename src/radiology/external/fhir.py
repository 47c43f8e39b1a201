"""A FHIR R4 server that this service asks. Whatever is no answer in the form of FHIR is none."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar, cast

import httpx2
import orjson

from radiology.errors import Unavailable, Unprocessable
from radiology.kit.outgoing import must_be_callable

TIMEOUT_SECONDS: Final = 5.0
LARGEST_ANSWER_BYTES: Final = 4 * 1024 * 1024

T = TypeVar("T")
Resource = Mapping[str, Any]
Get = Callable[[str, Mapping[str, str]], Awaitable[Resource | None]]
"""Reads a path with a query; None where there is nothing."""


class FHIRServer:
    """One server. `noun` is what it is to people, such as "practitioner registry"."""

    def __init__(self, url: str, *, token: str | None, noun: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Accept": "application/fhir+json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._noun = noun

    async def ask(self, work: Callable[[Get], Awaitable[T]]) -> T:
        """Let the work ask, on one connection. Raises Unavailable where the server does not answer as it should."""
        try:
            await asyncio.to_thread(must_be_callable, self._url)
            async with httpx2.AsyncClient(headers=self._headers, timeout=TIMEOUT_SECONDS) as client:
                async with asyncio.timeout(2 * TIMEOUT_SECONDS):
                    return await work(lambda path, query: self._get(client, path, query))
        except (
            httpx2.HTTPError, TimeoutError, ValueError, TypeError, AttributeError, KeyError, Unprocessable,
        ) as error:  # fmt: skip
            raise Unavailable(f"The {self._noun} does not answer as it should. Try again later.") from error

    async def _get(self, client: httpx2.AsyncClient, path: str, query: Mapping[str, str]) -> Resource | None:
        body = bytearray()
        async with client.stream("GET", f"{self._url}/{path}", params=query) as answer:
            if answer.status_code in (404, 410):
                return None
            answer.raise_for_status()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER_BYTES:
                    raise ValueError("too large")
        value = orjson.loads(bytes(body))
        if not isinstance(value, dict):
            raise TypeError("no resource")
        return cast("Resource", value)


def objects(value: Any) -> list[Resource]:
    """The objects of a list, or the one that stands alone; nothing where there is nothing."""
    if value is None:
        return []
    return cast("list[Resource]", value) if isinstance(value, list) else [cast("Resource", value)]


def official_name(resource: Resource) -> Resource:
    """The name to call somebody by: the official one, else the first."""
    names = objects(resource.get("name"))
    return next((each for each in names if each.get("use") == "official"), names[0] if names else {})


def in_scripts(name: Resource) -> Mapping[str, str]:
    """What the national profile says of a name by its extensions: `nameEn`, `nameBn`."""
    return {
        str(each.get("url", "")).rpartition("/")[2]: str(each.get("valueString", ""))
        for each in objects(name.get("extension"))
    }

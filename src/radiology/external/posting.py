"""One POST of JSON to another service, once by its id, within limits of time and size."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import httpx2
import orjson

from radiology.errors import Unavailable, Unprocessable
from radiology.kit.outgoing import must_be_callable

TIMEOUT_SECONDS: Final = 10.0
LONGEST_ANSWER_BYTES: Final = 64 * 1024
#: Refusals that may pass: the same may succeed later, as when a token has been put right.
_LATER: Final = frozenset({401, 403, 404, 405, 407, 408, 425, 429})


@dataclass(frozen=True, slots=True)
class Service:
    """Another service as people call it, the settings that name it, its address and the token that it asks for."""

    name: str
    settings: str
    url: str
    token: str | None = None
    timeout_seconds: float = TIMEOUT_SECONDS


async def post(service: Service, body: Mapping[str, Any], *, key: str, noun: str) -> Mapping[str, Any]:
    """Hand something over, with its id as Idempotency-Key: an answer that is lost is asked for again.

    Returns what the service answered, nothing where that is no JSON object. Raises Unavailable where the same may
    succeed later, Unprocessable where the service refuses it (`noun`) for good.
    """
    look = f"Look at the settings {service.settings}*."
    try:
        await asyncio.to_thread(must_be_callable, service.url)
        async with (
            asyncio.timeout(2 * service.timeout_seconds),
            httpx2.AsyncClient(timeout=service.timeout_seconds) as client,
        ):
            status, answer = await _posted(client, service, body, key)
    except (httpx2.HTTPError, TimeoutError, Unprocessable) as error:
        raise Unavailable(f"The {service.name} does not answer. {look}") from error
    if 400 <= status < 500 and status not in _LATER:
        raise Unprocessable(f"The {service.name} refuses this {noun} with {status}. Put it right there or here.")
    if not 200 <= status < 300:
        raise Unavailable(f"The {service.name} answers {status}. {look}")
    return _object(answer)


async def _posted(
    client: httpx2.AsyncClient, service: Service, body: Mapping[str, Any], key: str
) -> tuple[int, bytes]:  # fmt: skip
    headers = {"Idempotency-Key": key} | ({"Authorization": f"Bearer {service.token}"} if service.token else {})
    answer = bytearray()
    async with client.stream("POST", service.url, json=body, headers=headers) as response:
        async for chunk in response.aiter_bytes():
            answer += chunk
            if len(answer) > LONGEST_ANSWER_BYTES:
                break
    return response.status_code, bytes(answer)


def _object(answer: bytes) -> Mapping[str, Any]:
    try:
        said = orjson.loads(answer)
    except ValueError:
        return {}
    return cast("dict[str, Any]", said) if isinstance(said, dict) else {}

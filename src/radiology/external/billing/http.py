"""The billing service over HTTP: one POST of JSON for each line of a charge, with its id as Idempotency-Key."""

import asyncio
from typing import Any, Final, cast

import httpx2
import orjson

from radiology.errors import Unavailable, Unprocessable
from radiology.external.billing.model import ChargeItem
from radiology.kit.outgoing import must_be_callable

TIMEOUT_SECONDS: Final = 10.0
LONGEST_ANSWER_BYTES: Final = 64 * 1024
#: Refusals that may pass: the same may succeed later, as when a token has been put right.
_LATER: Final = frozenset({401, 403, 404, 405, 407, 408, 425, 429})


class HTTPBilling:
    """The billing service at an address. An answer that is lost is asked for again, so it must know an id again."""

    def __init__(self, url: str, *, token: str | None = None, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._url = f"{url.rstrip('/')}/charge-items"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._timeout = timeout_seconds

    async def post(self, item: ChargeItem) -> str:
        """Tell of a charge. Raises Unavailable, Unprocessable."""
        try:
            await asyncio.to_thread(must_be_callable, self._url)
            async with asyncio.timeout(2 * self._timeout), httpx2.AsyncClient(timeout=self._timeout) as client:
                status, answer = await self._posted(client, item)
        except (httpx2.HTTPError, TimeoutError, Unprocessable) as error:
            raise Unavailable("The billing service does not answer. Look at the settings billing_*.") from error
        if 400 <= status < 500 and status not in _LATER:
            raise Unprocessable(f"The billing service refuses this charge with {status}. Put it right there or here.")
        if not 200 <= status < 300:
            raise Unavailable(f"The billing service answers {status}. Look at the settings billing_*.")
        return _reference(answer)

    async def _posted(self, client: httpx2.AsyncClient, item: ChargeItem) -> tuple[int, bytes]:
        headers = {**self._headers, "Idempotency-Key": str(item.id)}
        answer = bytearray()
        async with client.stream("POST", self._url, json=item.told(), headers=headers) as response:
            async for chunk in response.aiter_bytes():
                answer += chunk
                if len(answer) > LONGEST_ANSWER_BYTES:
                    break
        return response.status_code, bytes(answer)


def _reference(answer: bytes) -> str:
    """What the service calls the charge, where it says so in `reference` or `id`."""
    try:
        said = orjson.loads(answer)
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    named = cast("dict[str, Any]", said)
    return str(named.get("reference") or named.get("id") or "")[:64]

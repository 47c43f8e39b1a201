"""Short messages by an HTTP gateway: one POST of JSON for each."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final, cast

import httpx2
import orjson

from radiology.errors import Unavailable, Unprocessable
from radiology.external.notifications.model import ShortMessage
from radiology.kit.outgoing import must_be_callable
from radiology.settings import Settings

TIMEOUT_SECONDS: Final = 10.0
LONGEST_ANSWER_BYTES: Final = 64 * 1024
#: Refusals that may pass: the same may succeed later.
_LATER: Final = frozenset({401, 403, 404, 407, 408, 425, 429})


@dataclass(frozen=True, slots=True)
class HTTPGateway:
    """The gateway of the settings. It is told the id twice, as `id` and as Idempotency-Key, so it may send once."""

    settings: Settings

    async def send(self, message: ShortMessage) -> str:
        """Hand a message over. Raises Unavailable, or Unprocessable where the gateway refuses this message for good."""
        url = self.settings.sms_gateway_url
        body = {"id": str(message.id), "to": message.mobile, "text": message.text, "from": self.settings.sms_sender}
        try:
            await asyncio.to_thread(must_be_callable, url)
            async with asyncio.timeout(2 * TIMEOUT_SECONDS), httpx2.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
                status, answer = await self._posted(client, url, body)
        except (httpx2.HTTPError, TimeoutError, Unprocessable) as error:
            raise Unavailable("The SMS gateway does not answer. Look at the settings sms_*.") from error
        if 400 <= status < 500 and status not in _LATER:
            raise Unprocessable(f"The SMS gateway refuses this message with {status}.")
        if not 200 <= status < 300:
            raise Unavailable(f"The SMS gateway answers {status}. Look at the settings sms_*.")
        return _reference(answer)

    async def _posted(self, client: httpx2.AsyncClient, url: str, body: dict[str, str]) -> tuple[int, bytes]:
        token = self.settings.sms_gateway_token
        headers = {"Idempotency-Key": body["id"]}
        if token:
            headers["Authorization"] = f"Bearer {token.get_secret_value()}"
        answer = bytearray()
        async with client.stream("POST", url, json=body, headers=headers) as response:
            async for chunk in response.aiter_bytes():
                answer += chunk
                if len(answer) > LONGEST_ANSWER_BYTES:
                    break
        return response.status_code, bytes(answer)


def _reference(answer: bytes) -> str:
    """What the gateway calls the message, where it says so in `id` or `messageId`."""
    try:
        said = orjson.loads(answer)
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    named = cast("dict[str, Any]", said)
    return str(named.get("id") or named.get("messageId") or "")[:64]

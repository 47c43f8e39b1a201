"""Short messages by an HTTP gateway: one POST of JSON for each."""

from dataclasses import dataclass

from radiology.external.notifications.model import ShortMessage
from radiology.external.posting import Service, post
from radiology.settings import Settings


@dataclass(frozen=True, slots=True)
class HTTPGateway:
    """The gateway of the settings. It is told the id twice, as `id` and as Idempotency-Key, so it may send once."""

    settings: Settings

    async def send(self, message: ShortMessage) -> str:
        """Hand a message over. Raises Unavailable, or Unprocessable where the gateway refuses this message for good."""
        token = self.settings.sms_gateway_token
        gateway = Service(
            "SMS gateway", "sms_", self.settings.sms_gateway_url, token.get_secret_value() if token else None
        )  # fmt: skip
        body = {"id": str(message.id), "to": message.mobile, "text": message.text, "from": self.settings.sms_sender}
        said = await post(gateway, body, key=body["id"], noun="message")
        return str(said.get("id") or said.get("messageId") or "")[:64]

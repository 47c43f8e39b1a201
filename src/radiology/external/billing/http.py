"""The billing service over HTTP: one POST of JSON for each line of a charge, with its id as Idempotency-Key."""

from radiology.external.billing.model import ChargeItem
from radiology.external.posting import TIMEOUT_SECONDS, Service, post


class HTTPBilling:
    """The billing service at an address. An answer that is lost is asked for again, so it must know an id again."""

    def __init__(self, url: str, *, token: str | None = None, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        address = f"{url.rstrip('/')}/charge-items"
        self._service = Service("billing service", "billing_", address, token, timeout_seconds)

    async def post(self, item: ChargeItem) -> str:
        """Tell of a charge; returns what the service calls it. Raises Unavailable, Unprocessable."""
        said = await post(self._service, item.told(), key=str(item.id), noun="charge")
        return str(said.get("reference") or said.get("id") or "")[:64]

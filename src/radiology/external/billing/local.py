"""The billing service of who has no other: items are kept in this database, each once."""

from radiology.errors import Unprocessable
from radiology.external.billing.model import ChargeItem
from radiology.kit.db import Database, as_json


class LocalBilling:
    """The twin of the service over HTTP, on this service's own database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def post(self, item: ChargeItem) -> str:
        """Keep an item. Raises Unprocessable where its id is that of another one, Unavailable without a database."""
        async with self._db.transaction() as tx:
            await tx.run(
                "INSERT INTO billing_items (id, body) VALUES (%(id)s, %(body)s) ON CONFLICT DO NOTHING",
                id=item.id,
                body=as_json(item.told()),
            )
            is_same = await tx.value(
                "SELECT body = %(body)s::jsonb FROM billing_items WHERE id = %(id)s",
                id=item.id,
                body=as_json(item.told()),
            )
        if not is_same:
            raise Unprocessable("The billing service was told of another charge under this id.")
        return str(item.id)

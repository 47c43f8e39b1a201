"""SQL of the registry of application entities."""

from radiology.application_entities.model import ApplicationEntity
from radiology.kit.db import Transaction


async def all_application_entities(tx: Transaction) -> list[ApplicationEntity]:
    """Every known peer."""
    return await tx.all(
        ApplicationEntity,
        """
        SELECT ae_title, host, port, services, facility_code, max_associations
        FROM application_entities
        ORDER BY ae_title
        """,
    )


async def save(tx: Transaction, entity: ApplicationEntity) -> None:
    """Add a peer, or change the one of that title."""
    await tx.run(
        """
        INSERT INTO application_entities (ae_title, host, port, services, facility_code, max_associations)
        VALUES (%(ae_title)s, %(host)s, %(port)s, %(services)s, %(facility_code)s, %(max_associations)s)
        ON CONFLICT (ae_title) DO UPDATE
        SET host = excluded.host,
            port = excluded.port,
            services = excluded.services,
            facility_code = excluded.facility_code,
            max_associations = excluded.max_associations
        """,
        ae_title=entity.ae_title,
        host=entity.host,
        port=entity.port,
        services=entity.services,
        facility_code=entity.facility_code,
        max_associations=entity.max_associations,
    )


async def remove(tx: Transaction, ae_title: str) -> int:
    """Forget a peer; returns how many were forgotten."""
    return await tx.run("DELETE FROM application_entities WHERE ae_title = %(ae_title)s", ae_title=ae_title)

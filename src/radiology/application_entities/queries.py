"""SQL of the registry of application entities."""

from collections.abc import Sequence
from dataclasses import fields

from radiology.application_entities.model import ApplicationEntity
from radiology.errors import NotFound
from radiology.kit.db import Transaction


async def all_application_entities(tx: Transaction) -> list[ApplicationEntity]:
    """Every known peer."""
    return await tx.all(
        ApplicationEntity,
        """
        SELECT ae_title, host, port, hosts, services, facility_code, move_destination, tls, certificate_fingerprint,
            certificate_subject, max_associations, outgoing_associations, transfer_syntaxes, wide_area,
            default_charset, utc_offset, sensitive_access, trusted_for_rejection, wants_warnings, auto_complete,
            offers_commitment, checks_user, dicomweb_url, dicomweb_user, dicomweb_secret, enabled, description
        FROM application_entities
        ORDER BY ae_title
        """,
    )


async def find_application_entity(tx: Transaction, ae_title: str) -> ApplicationEntity | None:
    """The peer of a title."""
    return await tx.maybe(
        ApplicationEntity,
        """
        SELECT ae_title, host, port, hosts, services, facility_code, move_destination, tls, certificate_fingerprint,
            certificate_subject, max_associations, outgoing_associations, transfer_syntaxes, wide_area,
            default_charset, utc_offset, sensitive_access, trusted_for_rejection, wants_warnings, auto_complete,
            offers_commitment, checks_user, dicomweb_url, dicomweb_user, dicomweb_secret, enabled, description
        FROM application_entities
        WHERE ae_title = %(ae_title)s
        """,
        ae_title=ae_title,
    )


async def one_application_entity(tx: Transaction, ae_title: str) -> ApplicationEntity:
    """The peer of a title. Raises NotFound."""
    entity = await find_application_entity(tx, ae_title)
    if entity is None:
        raise NotFound(f"No application entity is called {ae_title!r}.")
    return entity


async def save(tx: Transaction, entity: ApplicationEntity) -> None:
    """Add a peer, or change the one of that title."""
    await tx.run(
        """
        INSERT INTO application_entities (ae_title, host, port, hosts, services, facility_code, move_destination, tls,
            certificate_fingerprint, certificate_subject, max_associations, outgoing_associations, transfer_syntaxes,
            wide_area, default_charset, utc_offset, sensitive_access, trusted_for_rejection, wants_warnings,
            auto_complete, offers_commitment, checks_user, dicomweb_url, dicomweb_user, dicomweb_secret, enabled,
            description)
        VALUES (%(ae_title)s, %(host)s, %(port)s, %(hosts)s, %(services)s, %(facility_code)s, %(move_destination)s,
            %(tls)s, %(certificate_fingerprint)s, %(certificate_subject)s, %(max_associations)s,
            %(outgoing_associations)s, %(transfer_syntaxes)s, %(wide_area)s, %(default_charset)s, %(utc_offset)s,
            %(sensitive_access)s, %(trusted_for_rejection)s, %(wants_warnings)s, %(auto_complete)s,
            %(offers_commitment)s, %(checks_user)s, %(dicomweb_url)s, %(dicomweb_user)s, %(dicomweb_secret)s,
            %(enabled)s, %(description)s)
        ON CONFLICT (ae_title) DO UPDATE
        SET host = excluded.host,
            port = excluded.port,
            hosts = excluded.hosts,
            services = excluded.services,
            facility_code = excluded.facility_code,
            move_destination = excluded.move_destination,
            tls = excluded.tls,
            certificate_fingerprint = excluded.certificate_fingerprint,
            certificate_subject = excluded.certificate_subject,
            max_associations = excluded.max_associations,
            outgoing_associations = excluded.outgoing_associations,
            transfer_syntaxes = excluded.transfer_syntaxes,
            wide_area = excluded.wide_area,
            default_charset = excluded.default_charset,
            utc_offset = excluded.utc_offset,
            sensitive_access = excluded.sensitive_access,
            trusted_for_rejection = excluded.trusted_for_rejection,
            wants_warnings = excluded.wants_warnings,
            auto_complete = excluded.auto_complete,
            offers_commitment = excluded.offers_commitment,
            checks_user = excluded.checks_user,
            dicomweb_url = excluded.dicomweb_url,
            dicomweb_user = excluded.dicomweb_user,
            dicomweb_secret = excluded.dicomweb_secret,
            enabled = excluded.enabled,
            description = excluded.description
        """,
        **{column.name: getattr(entity, column.name) for column in fields(entity)},
    )


async def missing(tx: Transaction, ae_titles: Sequence[str]) -> list[str]:
    """Which of these are not in the registry."""
    return await tx.values(
        """
        SELECT title
        FROM unnest(%(titles)s::text[]) AS title
        WHERE NOT EXISTS (SELECT 1 FROM application_entities WHERE ae_title = title)
        ORDER BY title
        """,
        titles=list(ae_titles),
    )


async def remove(tx: Transaction, ae_title: str) -> int:
    """Forget a peer; returns how many were forgotten."""
    return await tx.run("DELETE FROM application_entities WHERE ae_title = %(ae_title)s", ae_title=ae_title)

"""Whether a certificate belongs to an application entity: by its fingerprint, or by the names in it."""

import hashlib

from radiology.application_entities.model import ApplicationEntity
from radiology.dicom_network.tls import Certificate


def is_bound(entity: ApplicationEntity, certificate: Certificate) -> bool:
    """Whether a trusted certificate is the one that the record binds.

    By its SHA-256 where the record has one, else by a common name or subject alternative name: that of the record, or
    the AE title or one of the hosts.
    """
    if entity.certificate_fingerprint:
        return hashlib.sha256(certificate.der).hexdigest() == entity.certificate_fingerprint
    wanted = [entity.certificate_subject] if entity.certificate_subject else [entity.ae_title, *entity.calling_hosts]
    return not {name.casefold() for name in wanted}.isdisjoint(name.casefold() for name in certificate.names)

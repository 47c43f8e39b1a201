"""What is known of one application entity."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from radiology.access.model import Actor, application_entity
from radiology.errors import FieldProblem
from radiology.standards.dicom.uids import TRANSFER_SYNTAXES

#: All that a peer may ask of us, which is what a new record allows.
DEFAULT_SERVICES: Final = ("echo", "store", "find", "move", "get", "mwl", "mpps", "commit", "ups")
SERVICES: Final = (*DEFAULT_SERVICES, "ian", "print", "mpps-forward", "mpps-notify")
TLS: Final = ("required", "allowed", "off")
#: Over a slow network compressed without loss comes first (JPEG-LS, JPEG 2000, HTJ2K, RLE), then Explicit, Implicit.
WIDE_AREA_PREFERENCE: Final = (
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2",
)
SENSITIVE_ACCESS: Final = ("none", "mask", "full")

_CHARACTER_SET: Final = re.compile(r"(ISO_IR (6|13|100|101|109|110|126|127|138|144|148|166|192|203)|GB18030|GBK)?")
_UTC_OFFSET: Final = re.compile(r"([+-](0\d|1[0-4])[0-5]\d)?")
_FINGERPRINT: Final = re.compile(r"([0-9a-f]{64})?")
_WEB_ADDRESS: Final = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?")
_NAME: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?")


@dataclass(frozen=True, slots=True)
class ApplicationEntity:
    """One peer on the DICOM network.

    hosts: addresses, networks (CIDR) or names that it may call from; empty: from `host`, and where that is empty too,
    from anywhere. host, port: where it listens.
    tls: for its calls `required` refuses plain connections and `off` refuses TLS; we call it with TLS where it is
    required. certificate_fingerprint (SHA-256, hexadecimal) and certificate_subject (a common name or subject
    alternative name) bind its certificate; with neither, the certificate must name its AE title or one of its hosts.
    services: what it may use, and what it is used for (`ian`: it is told of availability, `print`: it prints,
    `mpps-forward`: it is sent the performed procedure steps that modalities report, `mpps-notify`: it is told of them).
    max_associations: how many it may open at once; outgoing_associations: how many we open to it at once.
    transfer_syntaxes: our order of preference for it; empty: that of the network it is on (`wide_area`).
    offers_commitment: it can be asked for storage commitment. wants_warnings: it takes warning statuses (Bxxx) for what
    they are; else it gets 0000 instead. auto_complete: a study is complete when nothing has come from it for a while;
    else when it says so (MPPS), or a person does. checks_user: its user identity must be a name and passcode of an
    account here.
    dicomweb_url: where it answers DICOMweb (PS3.18); then we call it by that, not by DIMSE. dicomweb_user and
    dicomweb_secret: name and password there (Basic); a secret without a user is a bearer token.
    utc_offset as +0600; default_charset as ISO_IR 192; both empty: those of the facility.
    """

    ae_title: str
    host: str = ""
    port: int | None = None
    hosts: list[str] = field(default_factory=list[str])
    services: list[str] = field(default_factory=lambda: list(DEFAULT_SERVICES))
    facility_code: str | None = None
    move_destination: bool = False
    tls: str = "allowed"
    certificate_fingerprint: str = ""
    certificate_subject: str = ""
    max_associations: int | None = None
    outgoing_associations: int = 4
    transfer_syntaxes: list[str] = field(default_factory=list[str])
    wide_area: bool = False
    default_charset: str = ""
    utc_offset: str = ""
    sensitive_access: str = "none"
    trusted_for_rejection: bool = False
    wants_warnings: bool = True
    auto_complete: bool = True
    offers_commitment: bool = False
    checks_user: bool = False
    dicomweb_url: str = ""
    dicomweb_user: str = ""
    dicomweb_secret: str = field(default="", repr=False)
    enabled: bool = True
    description: str = ""

    def may(self, service: str) -> bool:
        """Whether it may use a service."""
        return self.enabled and service in self.services

    @property
    def is_callable(self) -> bool:
        """Whether we can call it: it is enabled, and the record says where it listens."""
        return self.enabled and bool(self.dicomweb_url or (self.host and self.port))

    @property
    def is_destination(self) -> bool:
        """Whether images may be sent to it."""
        return self.is_callable and self.move_destination

    @property
    def calling_hosts(self) -> list[str]:
        """Where it may call from; empty for anywhere."""
        return self.hosts or ([self.host] if self.host else [])

    @property
    def preference(self) -> tuple[str, ...]:
        """Transfer syntaxes in the order preferred for it; empty for that of a local network."""
        return tuple(self.transfer_syntaxes) or (WIDE_AREA_PREFERENCE if self.wide_area else ())

    def actor(self) -> Actor:
        """The actor it stands for."""
        reads = any(self.may(service) for service in ("find", "move", "get"))
        return application_entity(
            self.ae_title,
            facility_code=self.facility_code,
            may_read=reads,
            may_write=self.may("store"),
            sensitive_access=self.sensitive_access,
        )


def is_ae_title(text: str) -> bool:
    """Whether DICOM allows this AE title: 1 to 16 printable ASCII characters, no backslash (PS3.5 6.2, AE)."""
    return 1 <= len(text) <= 16 and text == text.strip() and "\\" not in text and text.isprintable() and text.isascii()


def is_host(text: str) -> bool:
    """Whether this is an address, or may be a name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return bool(_NAME.fullmatch(text)) and not text.replace(".", "").isdigit()
    return True


def is_network(text: str) -> bool:
    """Whether this is a network in CIDR notation."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def problems(entity: ApplicationEntity) -> list[FieldProblem]:
    """What is wrong with a record, by field; empty for one that can be kept."""
    return [FieldProblem(name, message) for name, message in _problems(entity)]


def _problems(entity: ApplicationEntity) -> Iterator[tuple[str, str]]:
    if not is_ae_title(entity.ae_title):
        yield "aeTitle", "1 to 16 printable ASCII characters, no backslash, no space at its ends"
    if entity.host and not is_host(entity.host):
        yield "host", f"an address or a name, not {entity.host!r}"
    for host in entity.hosts:
        if not is_host(host) and not is_network(host):
            yield "hosts", f"an address, a network as 10.1.0.0/16, or a name, not {host!r}"
    for service in entity.services:
        if service not in SERVICES:
            yield "services", f"{service!r} is none of {', '.join(SERVICES)}"
    for uid in entity.transfer_syntaxes:
        if uid not in TRANSFER_SYNTAXES:
            yield "transferSyntaxes", f"{uid!r} is not the UID of a transfer syntax"
    yield from _problems_of_words(entity)
    yield from _problems_together(entity)


def _problems_of_words(entity: ApplicationEntity) -> Iterator[tuple[str, str]]:
    if entity.tls not in TLS:
        yield "tls", f"one of {', '.join(TLS)}"
    if entity.sensitive_access not in SENSITIVE_ACCESS:
        yield "sensitiveAccess", f"one of {', '.join(SENSITIVE_ACCESS)}"
    if not _FINGERPRINT.fullmatch(entity.certificate_fingerprint):
        yield "certificateFingerprint", "the SHA-256 of the certificate: 64 hexadecimal digits"
    if not _CHARACTER_SET.fullmatch(entity.default_charset):
        yield "defaultCharset", "a term for Specific Character Set (0008,0005), as ISO_IR 192"
    if not _UTC_OFFSET.fullmatch(entity.utc_offset):
        yield "utcOffset", "an offset as +0600 (0008,0201)"
    for name, value in _numbers(entity).items():
        if value is not None and not 1 <= value <= 65_535:
            yield name, "a number from 1 to 65535"


def _problems_together(entity: ApplicationEntity) -> Iterator[tuple[str, str]]:
    if entity.move_destination and not (entity.dicomweb_url or (entity.host and entity.port)):
        yield "moveDestination", "a destination needs host and port, or dicomwebUrl, where it listens"
    if entity.dicomweb_url and not _WEB_ADDRESS.fullmatch(entity.dicomweb_url):
        yield "dicomwebUrl", "the base of its DICOMweb, as https://pacs.example.org/dicom-web, without ? and #"
    if (entity.dicomweb_user or entity.dicomweb_secret) and not entity.dicomweb_url:
        yield "dicomwebUrl", "is missing; user and secret are for DICOMweb"
    if entity.tls == "off" and (entity.certificate_fingerprint or entity.certificate_subject):
        yield "tls", "a certificate is bound, so TLS must be required or allowed"


def _numbers(entity: ApplicationEntity) -> Mapping[str, int | None]:
    return {
        "port": entity.port,
        "maxAssociations": entity.max_associations,
        "outgoingAssociations": entity.outgoing_associations,
    }

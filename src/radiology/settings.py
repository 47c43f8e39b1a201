"""Every setting of the service: one frozen class, read from the environment and from a TOML file.

Nothing else reads the environment. The environment wins over the file, the file wins over the defaults. The names of
the specification's Kubernetes manifest (`DB_HOST`, `REDIS_HOST`, ...) are understood beside our own `RADI_` names.
"""

import hashlib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

KIB, MIB, GIB = 1024, 1024**2, 1024**3

RADIOGRAPHY = frozenset({"CR", "DX", "IO", "MG", "PX", "US"})
FLUOROSCOPY = frozenset({"RF", "XA"})

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]
Processes = Annotated[int, Field(ge=1, le=64)]


class SettingsError(ValueError):
    """One or more settings cannot be used; each line of the message names one and says what is wrong."""


_ROOT = Path(__file__).resolve().parents[2]


def _in_clone() -> bool:
    return (_ROOT / "radi").is_file() and (_ROOT / "pyproject.toml").is_file()


def _default_data_dir() -> Path:
    """`.radi/data` in a clone; else the place the operating system keeps for the data of a service or of a user."""
    if _in_clone():
        return _ROOT / ".radi" / "data"
    return Path("/var/lib/radiology") if os.geteuid() == 0 else Path.home() / ".local" / "share" / "radiology"


def _also(name: str) -> AliasChoices:
    """Our own name first, then the name that the specification's manifest uses."""
    return AliasChoices(f"RADI_{name}", name)


class Settings(BaseSettings):
    """All settings. Names carry their unit; see docs/settings.md, which is generated from here."""

    model_config = SettingsConfigDict(
        env_prefix="RADI_", frozen=True, extra="forbid", populate_by_name=True, env_ignore_empty=True
    )

    # Places
    data_dir: Path = Field(
        default_factory=_default_data_dir,
        description="Folder of everything that is kept: images, the embedded database, logs. "
        "Default: `.radi/data` in a clone, `/var/lib/radiology` for root, else `~/.local/share/radiology`.",
    )
    runtime_dir: Path = Field(
        default=Path("/tmp"),  # noqa: S108  # The folder made below it is 0700 and its owner is checked.
        description="Folder under which a short, private folder for the database socket is made "
        "(the path of a socket may have at most 107 bytes).",
    )
    viewer_dir: Path = Field(
        default_factory=lambda: (
            _default_data_dir().parent / "viewer" if _in_clone() else _default_data_dir() / "viewer"
        ),
        description="Folder of the viewer's files, which `radi viewer` makes. Default: `.radi/viewer` in a clone, "
        "else `viewer` in the default data folder.",
    )
    fetch_viewer: bool = Field(
        default=True, description="Make the viewer after the start where it is not there: one download by npm."
    )
    disk_reserve_bytes: int = Field(
        default=GIB, ge=0, description="Free space below which nothing more is stored: senders get A700, HTTP gets 503."
    )

    # Doors
    bind_address: str = Field(
        default="127.0.0.1", description="Address the HTTP and DICOM ports listen on; `0.0.0.0` for every network."
    )
    http_port: Port = Field(default=8080, description="Port of REST, FHIR, DICOMweb and the web pages.")
    public_url: str = Field(
        default="",
        description="Where clients reach the HTTP port, such as `https://pacs.example.org`: the beginning of every "
        "link that is given out. Empty: the scheme and the Host header of each request.",
    )
    dicom_port: Port = Field(default=11112, description="Port of DICOM associations.")
    http_processes: Processes = Field(default=2, description="Processes that answer HTTP; they share the port.")
    dimse_processes: Processes = Field(
        default=2, description="Processes that take DICOM associations; they share the port."
    )
    max_request_bytes: int = Field(
        default=4 * GIB, ge=MIB, description="Longest HTTP request body; longer ones are refused with 413."
    )
    session_idle_minutes: int = Field(
        default=480, ge=5, le=1440, description="Minutes without use after which somebody must sign in again."
    )
    password_min_length: int = Field(
        default=12, ge=8, le=64, description="Fewest characters of a password that somebody chooses."
    )
    oidc_issuer: str = Field(
        default="",
        description="Identity provider at which people sign in (OpenID Connect): its issuer, as "
        "`https://id.example.org/realms/hospital`. Empty: accounts of this service alone.",
    )
    oidc_client_id: str = Field(default="", description="Name under which the identity provider knows this service.")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="Secret of `oidc_client_id`; without one PKCE alone protects the sign-in."
    )
    oidc_scopes: str = Field(
        default="openid profile", description="Scopes that signing in asks for, with spaces between."
    )
    oidc_mapping: str = Field(
        default="",
        description="What claims of the identity provider mean here, in JSON: roles and facilities "
        "([signing in with OpenID Connect](sign-in-with-oidc.md)).",
    )
    oidc_audience: str = Field(
        default="",
        description="Audience (`aud`) of access tokens of the identity provider that programs may send to us. Empty: "
        "none may.",
    )
    share_preliminary_reports: bool = Field(
        default=False, description="Let links open reports that nobody has signed yet, marked as preliminary."
    )
    searches_per_minute: int = Field(
        default=600,
        ge=0,
        description="Searches that one person may send to a process in a minute (HTTP); 0 for no limit. Accounts of "
        "the role `service` are not limited.",
    )
    max_json_bytes: int = Field(
        default=8 * MIB, ge=KIB, description="Longest JSON request body; longer ones are refused with 413."
    )

    # DICOM
    ae_title: str = Field(
        default="RADSVC", description="Application entity title of this service (PS3.5 6.2, at most 16 characters)."
    )
    allow_unknown_ae: bool = Field(
        default=False, description="Take associations from application entities that are not registered."
    )
    allow_unknown_echo: bool = Field(
        default=False, description="Answer C-ECHO of application entities that are not registered."
    )
    plain_dicom_networks: str = Field(
        default="127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,::1/128,fc00::/7,fe80::/10",
        description="Networks (CIDR, with commas between) from which DICOM without TLS is taken.",
    )
    accept_unknown_storage: bool = Field(
        default=True,
        description="Accept storage SOP classes that the list of the standard does not know (private ones).",
    )
    max_associations: int = Field(
        default=200, ge=1, description="Associations at once, all processes together; more are refused for the moment."
    )
    max_associations_per_ae: int = Field(
        default=50,
        ge=1,
        description="Associations at once of one calling AE title, all processes together; more are refused for now.",
    )
    max_pdu_bytes: int = Field(
        default=128 * KIB, ge=4 * KIB, le=16 * MIB, description="Longest P-DATA PDU we offer to receive (PS3.8 D.1)."
    )
    artim_seconds: Seconds = Field(
        default=30, description="ARTIM timer: how long a connection may stay without an association (PS3.8 9.1.4)."
    )
    dimse_timeout_seconds: Seconds = Field(
        default=120, description="How long the rest of a message that has begun may take to arrive."
    )
    idle_timeout_seconds: Seconds = Field(
        default=300, description="How long an association may stay silent before it is aborted."
    )
    remote_check_seconds: int = Field(
        default=300,
        ge=0,
        le=86_400,
        description="How often each archive, workstation and printer of the registry is asked whether it is there; "
        "0 for never.",
    )
    picture_cache_bytes: int = Field(
        default=128 * MIB, ge=0, description="Memory of each HTTP process for pictures that were rendered already."
    )
    decoding_processes: Processes = Field(
        default=2, description="Processes of each HTTP process that decode pixel data, each with limits of its own."
    )
    decoding_seconds: Seconds = Field(
        default=30,
        description="How long the decoding of one picture may take; then it is ended and said to have failed.",
    )
    metadata_cache_bytes: int = Field(
        default=32 * MIB, ge=0, description="Memory of each HTTP process for metadata that was asked for."
    )
    pn_bangla_group: Literal["none", "ideographic"] = Field(
        default="ideographic",
        description="Where modalities that take UTF-8 are given Bangla names: nowhere, or in the second component "
        "group of PN (PS3.5 6.2.1). The first group is Latin.",
    )
    dicom_tls_port: Port = Field(
        default=2762,
        description="Port of DICOM associations over TLS; opened where the three files below are set.",
    )
    tls_certificate: Path | None = Field(
        default=None, description="Our certificate for DICOM over TLS, with its chain, in PEM."
    )
    tls_private_key: Path | None = Field(default=None, description="Private key of `tls_certificate`, in PEM.")
    tls_authorities: Path | None = Field(
        default=None, description="Certificates (PEM) of the authorities, or of the peers themselves, that we trust."
    )
    commit_grace_seconds: int = Field(
        default=60,
        ge=0,
        le=3600,
        description="How long a request for storage commitment waits for instances that have not come yet.",
    )
    worklist_expires_days: int = Field(
        default=7,
        ge=1,
        le=3650,
        description="Days after which a scheduled step that nothing was heard of leaves its state.",
    )
    find_max: int = Field(default=2000, ge=1, description="Most answers to one C-FIND; then it ends with a status.")

    # HL7 version 2
    hl7_port: int = Field(
        default=0, ge=0, le=65535, description="Port of HL7 messages (MLLP); 0 for none. The usual one is 2575."
    )
    hl7_tls_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of HL7 messages over TLS, with the certificates of DICOM over TLS; 0 for none.",
    )
    plain_hl7_networks: str = Field(
        default="127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,::1/128,fc00::/7,fe80::/10",
        description="Networks (CIDR, with commas between) from which HL7 messages without TLS are taken.",
    )
    hl7_unknown_senders: Literal["refuse", "quarantine"] = Field(
        default="refuse",
        description="What becomes of messages whose sender is not registered; they are answered AR. `quarantine` keeps "
        "them until somebody decides about them.",
    )
    hl7_max_connections: int = Field(
        default=100, ge=1, le=10_000, description="HL7 connections at once; more are closed at once."
    )
    hl7_max_message_bytes: int = Field(
        default=4 * MIB, ge=4 * KIB, le=64 * MIB, description="Longest HL7 message; longer ones are answered AR."
    )
    hl7_message_timeout_seconds: Seconds = Field(
        default=30, description="How long the rest of an HL7 message that has begun may take to arrive."
    )
    hl7_idle_timeout_seconds: Seconds = Field(
        default=3600, description="How long an HL7 connection may stay silent before it is closed."
    )
    hl7_log_days: int = Field(
        default=365, ge=1, le=36_500, description="Days for which HL7 messages are kept once they are done with."
    )

    # DICOMweb and REST
    qido_default_limit: int = Field(default=200, ge=1, description="Answers to a search that names no limit.")
    qido_max_limit: int = Field(default=2000, ge=1, description="Most answers to one search, whatever limit it names.")

    # Studies
    index_batch_rows: int = Field(
        default=200, ge=1, le=5000, description="Most instances that one transaction of the index takes."
    )
    recompress_after_days: int = Field(
        default=0,
        ge=0,
        le=36_500,
        description="Age at which uncompressed images are compressed without loss, each when it is proven that what "
        "was received can be given back byte for byte; 0 for never.",
    )
    recompress_transfer_syntax: Literal[
        "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.80"
    ] = Field(
        default="1.2.840.10008.1.2.4.201",
        description="What they are compressed to: HTJ2K Lossless, the same with RPCL options, JPEG 2000 Lossless or "
        "JPEG-LS Lossless.",
    )
    disk_forecast_days: int = Field(
        default=60,
        ge=0,
        le=3650,
        description="Administrators are told when the disk is forecast to be full to its reserve in fewer days.",
    )
    verification_mib_per_second: int = Field(
        default=20,
        ge=0,
        le=10_000,
        description="At which rate stored objects are read and compared with what was stored; 0 for never.",
    )
    verification_hours: str = Field(
        default="22-6",
        pattern=r"^([01]?\d|2[0-3])-([01]?\d|2[0-4])$",
        description="Between which hours of the day that is done, in `time_zone`; `0-24` for all day.",
    )
    verification_every_days: int = Field(
        default=30, ge=1, le=3650, description="How long after the last one the next pass through all objects begins."
    )
    quiet_period_radiography_seconds: Seconds = Field(
        default=120, description="Silence after which a study of CR, DX, IO, MG, PX or US counts as complete."
    )
    quiet_period_cross_section_seconds: Seconds = Field(
        default=300,
        description="Silence after which a study of CT, MR, NM, PT or any other modality counts as complete.",
    )
    quiet_period_fluoroscopy_seconds: Seconds = Field(
        default=600, description="Silence after which a study of RF or XA counts as complete."
    )
    facility_code: str = Field(
        default="LOCAL", pattern=r"^[A-Za-z0-9_-]{1,16}$", description="Code of this facility in identifiers it issues."
    )
    accession_number_format: str = Field(
        default="{facility:.6}{yy}{mm}{number:06}",
        description="How accession numbers of orders are written, in at most 16 characters: letters, digits, "
        "`{facility}`, `{yyyy}`, `{yy}`, `{mm}`, `{dd}` and one `{number:06}`. Or a JSON object of formats by "
        'facility, as `{"DMC": "D{yy}{number:08}", "*": "{facility:.6}{yy}{mm}{number:06}"}`.',
    )
    max_attachment_bytes: int = Field(
        default=20 * MIB, ge=KIB, description="Longest photograph or scan of a request form; longer ones are refused."
    )
    time_zone: str = Field(default="Asia/Dhaka", description="Zone (IANA name) in which dates and times are shown.")

    # Database
    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=_also("DATABASE_URL"),
        description="PostgreSQL 15 or newer as `postgresql://user:password@host/name`. "
        "Without it and without `DB_HOST` the embedded PostgreSQL is started.",
    )
    db_host: str | None = Field(
        default=None, validation_alias=_also("DB_HOST"), description="Host of a PostgreSQL, where no URL is given."
    )
    db_port: Port = Field(default=5432, validation_alias=_also("DB_PORT"), description="Port at `db_host`.")
    db_name: str = Field(
        default="radiology", validation_alias=_also("DB_NAME"), description="Name of the database at `db_host`."
    )
    db_user: str = Field(default="radiology", validation_alias=_also("DB_USER"), description="User at `db_host`.")
    db_password: SecretStr | None = Field(
        default=None, validation_alias=_also("DB_PASSWORD"), description="Password of `db_user`."
    )
    pg_bin: Path | None = Field(
        default=None,
        description="Folder of PostgreSQL programs (`/usr/lib/postgresql/17/bin`) for the embedded database, "
        "instead of those that come with the service.",
    )
    pg_shared_buffers_mib: int = Field(
        default=128, ge=16, le=65_536, description="Shared buffers of the embedded PostgreSQL, in MiB."
    )

    # Names of the specification's manifest
    redis_host: str | None = Field(
        default=None,
        validation_alias=_also("REDIS_HOST"),
        description="Host of a Redis cache. Understood and kept; this version caches in its own processes.",
    )
    kafka_brokers: str | None = Field(
        default=None,
        validation_alias=_also("KAFKA_BROKERS"),
        description="Kafka brokers, `host:port,...`. Understood and kept; this version offers events as a change feed.",
    )
    pacs_url: str | None = Field(
        default=None,
        validation_alias=_also("PACS_URL"),
        description="A further PACS, `host:port`. Understood and kept; this version is the PACS itself.",
    )
    storage_url: str | None = Field(
        default=None,
        validation_alias=_also("STORAGE_URL"),
        description="An object store, `host:port`. Understood and kept; this version keeps images under `data_dir`.",
    )

    # Audit
    audit_strict: bool = Field(
        default=False,
        description="Refuse to show what nobody could be recorded to have seen (503), instead of counting the loss.",
    )
    audit_spool_max_bytes: int = Field(
        default=GIB,
        ge=MIB,
        description="How much may wait in the files of a process for a database that is away, of who read what.",
    )
    audit_retention_years: int = Field(
        default=10,
        ge=1,
        le=100,
        description="Years for which the audit record is kept; older months are dropped whole.",
    )
    audit_head_file: Path | None = Field(
        default=None,
        description="File to which the hash of the last audit record is written, best on another machine. "
        "Default: `audit/head.json` in the data folder.",
    )
    audit_repositories: str = Field(
        default="",
        description="Audit repositories, `host:port` with commas between, that get DICOM audit messages by syslog over "
        "TLS (PS3.15 A.6, RFC 5425).",
    )
    audit_tls_authorities: Path | None = Field(
        default=None,
        description="Certificates (PEM) of the authorities that audit repositories are trusted by; without it those of "
        "the system.",
    )
    audit_tls_certificate: Path | None = Field(
        default=None, description="Our certificate for audit repositories, with its chain and its private key, in PEM."
    )

    # Messages
    smtp_host: str = Field(
        default="", description="Mail server for notices to people who gave an address; without it there is no e-mail."
    )
    smtp_port: Port = Field(default=587, description="Port at `smtp_host`.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection is protected; `none` is for a mail server on this machine."
    )
    smtp_tls_authorities: Path | None = Field(
        default=None,
        description="Certificates (PEM) of the authorities that the mail server is trusted by; without it those of the "
        "system.",
    )
    smtp_user: str = Field(default="", description="User at the mail server, where it asks for one.")
    smtp_password: SecretStr | None = Field(default=None, description="Password of `smtp_user`.")
    smtp_from: str = Field(default="radiology@localhost", description="Address from which notices are sent.")
    sms_gateway_url: str = Field(
        default="",
        description="Where short messages to patients are sent: POST of JSON with `id`, `to`, `text`, `from`. Empty: "
        "patients are sent none.",
    )
    sms_gateway_token: SecretStr | None = Field(default=None, description="Bearer token for `sms_gateway_url`.")
    sms_sender: str = Field(default="RADIOLOGY", description="Name from which short messages come (`from`).")

    # Practitioners
    practitioner_registry: Literal["named", "required"] = Field(
        default="named",
        description="Whose reading and signing the practitioner registry decides about, too: `named` of accounts that "
        "name a practitioner whom it knows, `required` of all.",
    )
    practitioner_registry_url: str = Field(
        default="",
        description="Base address of a FHIR R4 server with Practitioner and PractitionerRole; without it the "
        "practitioners that this service keeps itself are the registry.",
    )
    practitioner_registry_token: SecretStr | None = Field(default=None, description="Bearer token for that server.")
    patient_registry_url: str = Field(
        default="",
        description="Base address of a FHIR R4 server with Patient, in which patients are looked up; what it says is "
        "kept, so that it may be away. Without it patients are known by this service alone.",
    )
    patient_registry_token: SecretStr | None = Field(default=None, description="Bearer token for that server.")
    patient_registry_fresh_seconds: Seconds = Field(
        default=86_400, description="How long what the patient registry said counts as fresh; later it is marked stale."
    )

    # Reading
    sla_calendar: Literal["24x7", "business"] = Field(
        default="24x7",
        description="When the time for a routine report runs: always, or in the hours of the facility only. That of "
        "STAT, asap and urgent, and of facilities that are open at all hours, runs always.",
    )
    sla_business_hours: str = Field(
        default="09:00-17:00",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
        description="The hours in which it runs with `sla_calendar` `business`; not on holidays of the facility.",
    )
    sla_weekend: str = Field(
        default="5",
        pattern=r"^([1-7](,[1-7])*)?$",
        description="The days on which it does not run, Monday is 1: `5` is Friday, `5,6` Friday and Saturday.",
    )
    reading_assignment: Literal["all", "urgent", "off"] = Field(
        default="all",
        description="What is offered to readers of the network: everything, STAT, asap and urgent only, or nothing. "
        "Without readers nothing is.",
    )
    reading_lock_seconds: Seconds = Field(
        default=1800, description="How long a claim of a study keeps others out unless it is renewed."
    )

    # Billing
    vat_percent: float = Field(
        default=0,
        ge=0,
        le=100,
        description="VAT on examinations, per cent; health services have none unless an accountant says so.",
    )
    billing_service_url: str = Field(
        default="",
        description="Base address of the hospital's billing service: each change of a charge is one POST to "
        "`charge-items` below it, with an Idempotency-Key. Empty: charges are kept by this service alone.",
    )
    billing_service_token: SecretStr | None = Field(default=None, description="Bearer token for that server.")

    # Quality
    peer_review_percent: float = Field(
        default=3, ge=0, le=100, description="So many of the final reports are drawn for peer review, per cent."
    )
    peer_review_first: int = Field(
        default=20, ge=0, le=1000, description="So many of the first reports of a new reader are all reviewed."
    )
    peer_review_seed: str = Field(
        default="radiology", description="Decides which reports are drawn: with the same seed the same ones."
    )

    hmis_codes_file: Path | None = Field(
        default=None,
        description="A JSON object with the codes of the health management information system (DHIS2) for our names of "
        'data set, data elements, options and facilities, as `{"RAD_CT": "aBcDeFgHiJk", "F_25_49": "..."}`.',
    )

    # Running
    drain_seconds: Seconds = Field(
        default=30, description="How long running associations and requests may take to end when the service stops."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severity that is logged."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="Form of log lines; `auto` is `console` on a terminal and `json` elsewhere."
    )
    demo: bool = Field(
        default=False, description="Demonstration: a demo account and sample studies. `radi demo` sets it."
    )

    @field_validator(
        "data_dir",
        "viewer_dir",
        "runtime_dir",
        "pg_bin",
        "tls_certificate",
        "tls_private_key",
        "tls_authorities",
        "audit_head_file",
        "audit_tls_authorities",
        "audit_tls_certificate",
        "smtp_tls_authorities",
        mode="after",
    )
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().resolve()

    @field_validator("ae_title")
    @classmethod
    def _valid_ae_title(cls, value: str) -> str:
        title = value.strip(" ")
        if not 1 <= len(title) <= 16 or "\\" in title or not title.isascii() or not title.isprintable():
            raise ValueError("must be 1 to 16 printable ASCII characters without a backslash")
        return title

    @field_validator("public_url")
    @classmethod
    def _beginning_of_links(cls, value: str) -> str:
        url = urlsplit(value.strip())
        if url.geturl() and not (url.scheme in ("http", "https") and url.hostname and url.path.isascii()):
            raise ValueError("must begin with http:// or https:// and a host")
        if url.username or url.query or url.fragment or not re.fullmatch(r"[\w.:/\[\]~-]*", url.geturl(), re.ASCII):
            raise ValueError("must be scheme, host and port, and perhaps a path, nothing else")
        return url.geturl().rstrip("/")

    @field_validator("oidc_issuer")
    @classmethod
    def _issuer(cls, value: str) -> str:
        url = urlsplit(value)
        here = url.scheme == "http" and url.hostname in ("127.0.0.1", "::1", "localhost")
        if value and (not (url.scheme == "https" or here) or not url.hostname or url.query or url.fragment):
            raise ValueError("must begin with https:// (http:// on this machine alone), without a query")
        return value

    @field_validator("plain_dicom_networks", "plain_hl7_networks")
    @classmethod
    def _networks(cls, value: str) -> str:
        return ",".join(str(ip_network(each.strip(), strict=False)) for each in value.split(",") if each.strip())

    @field_validator("time_zone")
    @classmethod
    def _known_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError) as e:
            raise ValueError(f"{value!r} is not a time zone of this system; one is 'Asia/Dhaka'") from e
        return value

    @field_validator("db_port", mode="before")
    @classmethod
    def _port_of_service_link(cls, value: Any) -> Any:
        """Kubernetes sets `DB_PORT=tcp://10.0.0.7:5432` in every pod where a service is called `db`."""
        return value.rsplit(":", 1)[-1] if isinstance(value, str) and value.startswith("tcp://") else value

    @model_validator(mode="after")
    def _limits_agree(self) -> "Settings":
        if self.qido_default_limit > self.qido_max_limit:
            raise ValueError("qido_default_limit is greater than qido_max_limit")
        if self.oidc_issuer and (not self.oidc_client_id or "openid" not in self.oidc_scopes.split()):
            raise ValueError("oidc_issuer needs oidc_client_id, and openid among oidc_scopes")
        if self.oidc_audience and self.oidc_audience == self.oidc_client_id:
            raise ValueError("oidc_audience must not be oidc_client_id: that is the audience of ID tokens")
        if self.hl7_tls_port and not self.offers_tls:
            raise ValueError("hl7_tls_port needs tls_certificate, tls_private_key and tls_authorities")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # The base class fixes the parameters.
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file; no dotenv, so that nothing is read by surprise."""
        return init_settings, env_settings, _FileSource(settings_cls, env_settings, init_settings)

    @property
    def embedded_database(self) -> bool:
        """Whether the service runs its own PostgreSQL."""
        return self.database_url is None and self.db_host is None

    @property
    def database_dsn(self) -> str:
        """The libpq connection string of the database in use. May hold a password: never log it."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        if self.db_host is None:
            return f"postgresql://radiology@/radiology?host={quote(str(self.socket_dir), safe='')}"
        password = self.db_password.get_secret_value() if self.db_password else ""
        login = quote(self.db_user, safe="") + (f":{quote(password, safe='')}" if password else "")
        host = f"[{self.db_host}]" if ":" in self.db_host else self.db_host
        return f"postgresql://{login}@{host}:{self.db_port}/{quote(self.db_name, safe='')}"

    @property
    def offers_tls(self) -> bool:
        """Whether DICOM associations are taken over TLS."""
        return None not in (self.tls_certificate, self.tls_private_key, self.tls_authorities)

    @property
    def hl7_ports(self) -> dict[str, int]:
        """The ports of HL7 messages that are opened, by the name of their setting."""
        ports = {"RADI_HL7_PORT": self.hl7_port, "RADI_HL7_TLS_PORT": self.hl7_tls_port}
        return {name: port for name, port in ports.items() if port}

    @property
    def socket_dir(self) -> Path:
        """Folder of the embedded database's socket: short, and the same for every process of one data folder."""
        return self.runtime_dir / f"radi-{hashlib.sha256(bytes(self.data_dir)).hexdigest()[:12]}"

    @property
    def objects_dir(self) -> Path:
        """Folder of the images' bytes."""
        return self.data_dir / "objects"

    @property
    def attachments_dir(self) -> Path:
        """Folder of what is attached to orders."""
        return self.data_dir / "attachments"

    @property
    def run_dir(self) -> Path:
        """Folder of what only the running service needs: lock and state."""
        return self.data_dir / "run"

    @property
    def audit_dir(self) -> Path:
        """Folder of what was read and is not yet in the audit record, and of the record's last hash."""
        return self.data_dir / "audit"

    @property
    def log_dir(self) -> Path:
        """Folder of the embedded database's log."""
        return self.data_dir / "log"

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which dates and times are shown."""
        return ZoneInfo(self.time_zone)

    def quiet_period_seconds(self, modality: str | None) -> int:
        """Seconds without a new instance after which a study of this modality (0008,0060) counts as complete."""
        if modality in RADIOGRAPHY:
            return self.quiet_period_radiography_seconds
        return (
            self.quiet_period_fluoroscopy_seconds
            if modality in FLUOROSCOPY
            else self.quiet_period_cross_section_seconds
        )


class _FileSource(PydanticBaseSettingsSource):
    """The TOML file named by `RADI_SETTINGS`, or `radi.toml` in the data folder that arguments or environment name."""

    def __init__(self, settings_cls: type[BaseSettings], *before: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self.before = before

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Demanded by the base class; the file is taken whole instead."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        named = os.environ.get("RADI_SETTINGS")
        path = Path(named).expanduser() if named else self._data_dir() / "radi.toml"
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            if named:
                raise SettingsError(f"RADI_SETTINGS: there is no file {path}.") from None
            return {}
        except (OSError, ValueError) as e:
            raise SettingsError(f"The settings file {path} cannot be read: {e}.") from e

    def _data_dir(self) -> Path:
        for source in reversed(self.before):
            if value := source().get("data_dir"):
                return Path(value).expanduser()
        return _default_data_dir()


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; `overrides` win over environment and file.

    Raises `SettingsError` with one line for each setting that cannot be used.
    """
    try:
        return Settings(**overrides)
    except ValidationError as e:
        raise SettingsError("\n".join(map(_sentence, e.errors(include_url=False)))) from None


def _sentence(error: Mapping[str, Any]) -> str:
    field = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        return f"{field} in the settings file is not a setting."
    name = environment_name(field.lower()) if field.lower() in Settings.model_fields else field
    value = f" (it is {error['input']!r})" if isinstance(error["input"], str | int) and "password" not in field else ""
    return f"{name or 'Settings'}: {error['msg'].removeprefix('Value error, ')}{value}."


def environment_name(field: str) -> str:
    """The variable of a setting; of those that the specification's manifest names, the name it uses."""
    alias = Settings.model_fields[field].validation_alias
    return str(alias.choices[-1]) if isinstance(alias, AliasChoices) else f"RADI_{field.upper()}"


def unknown_variables() -> list[str]:
    """Variables of the environment that begin with `RADI_` and are no setting: spelling mistakes, mostly."""
    known = {f"RADI_{field.upper()}" for field in Settings.model_fields} | {"RADI_SETTINGS"}
    return sorted(name for name in os.environ if name.startswith("RADI_") and name not in known)


_DOCUMENT = """\
# Settings

Every setting is a variable of the environment or a line of a TOML file. The environment wins over the file, the file
over the default. The file is the one that `RADI_SETTINGS` names, else `radi.toml` in the data folder; its keys are the
names in the first column:

```toml
bind_address = "0.0.0.0"
ae_title = "DMCH_PACS"
```

Where the specification's Kubernetes manifest gives a name (`DB_HOST`, ...), that name is shown and `RADI_DB_HOST` works
too. `radi settings` prints the values in use; `make docs` writes the table below, and a test compares it with the code.

"""


def settings_document() -> str:
    """The text of docs/settings.md, with every setting in one table."""
    rows = ["| setting | variable | type | default | what it is |", "|---|---|---|---|---|"]
    for field, info in Settings.model_fields.items():
        cells = (f"`{field}`", f"`{environment_name(field)}`", _type_name(info), _default(info), info.description)
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    return _DOCUMENT + "\n".join(rows) + "\n"


def effective_settings(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each setting and its value as a sentence for people; secrets are masked."""
    for field in Settings.model_fields:
        value = getattr(settings, field)
        yield field, "" if value is None else str(value)


def _type_name(info: FieldInfo) -> str:
    names: dict[Any, str] = {
        int: "integer", float: "number", str: "text", bool: "yes or no", Path: "path", SecretStr: "secret text"
    }  # fmt: skip
    kinds: list[Any] = [kind for kind in (get_args(info.annotation) or (info.annotation,)) if kind is not type(None)]
    if get_origin(info.annotation) is Literal:
        return ", ".join(map(str, kinds))
    return names[kinds[0]]


def _default(info: FieldInfo) -> str:
    if info.default_factory is not None:
        return "see right"
    if info.default is None:
        return ""
    return f"`{str(info.default).lower() if isinstance(info.default, bool) else info.default}`"

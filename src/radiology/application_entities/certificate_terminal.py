"""`radi certificate`: make certificates, and say what is to be done with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from radiology.application_entities import authority
from radiology.application_entities.model import is_ae_title
from radiology.errors import Invalid
from radiology.kit.clock import now
from radiology.kit.tables import table


@dataclass(frozen=True, slots=True)
class Making:
    """What certificates are made with: where they lie, what this server is called, how long they are valid."""

    folder: Path
    ae_title: str
    hosts: Sequence[str]
    days: int

    def certificates(self, machines: Sequence[str]) -> list[str]:
        """An authority and a certificate for this server where there are none, and one for each machine; in lines.

        Raises Conflict, Invalid, OSError. Nothing is written where a machine's name cannot be that of a file.
        """
        self._check(machines)
        at = now()
        signer, written = authority.open_authority(self.folder, f"{self.ae_title} authority", now=at)
        lines = [f"{path} written" for path in written]
        if not (self.folder / f"{authority.SERVER}.pem").exists():
            lines += self._made(authority.SERVER, self.ae_title, self.hosts, signer, at)
            lines += ["", "Settings of this server:", *self._settings()]
        for machine in machines:
            lines += ["", *self._made(machine, machine, [], signer, at), *self._next(machine)]
        return lines or ["Everything is there already. Name machines to make certificates for them."]

    def request(self) -> list[str]:
        """A key and a request for this server, for an authority elsewhere; in lines. Raises Conflict, OSError."""
        written = authority.make_request(self.folder, authority.SERVER, self.ae_title, self.hosts)
        certificate = self.folder / f"{authority.SERVER}.pem"
        return [
            *(f"{path} written" for path in written),
            "",
            f"Send {written[-1]} to your authority. Keep the certificate it gives as {certificate},",
            f"and its own as {self.folder / authority.AUTHORITY}.pem. Then these are the settings of this server:",
            *self._settings(),
        ]

    def _check(self, machines: Sequence[str]) -> None:
        for machine in machines:
            if not is_ae_title(machine) or "/" in machine or machine.startswith("."):
                raise Invalid(f"{machine!r} is no AE title that a file can be named for.")
            if machine in (authority.AUTHORITY, authority.SERVER):
                raise Invalid(f"A machine cannot be called {machine!r} here: its files would be those of the service.")

    def _made(
        self, file_name: str, name: str, hosts: Sequence[str], signer: authority.Signer, at: datetime
    ) -> list[str]:
        written = authority.make_certificate(self.folder, file_name, name, hosts, signer, days=self.days, now=at)
        return [f"{path} written" for path in written]

    def _settings(self) -> list[str]:
        server, trusted = self.folder / authority.SERVER, self.folder / f"{authority.AUTHORITY}.pem"
        return [
            f"  RADI_TLS_CERTIFICATE={server}.pem",
            f"  RADI_TLS_PRIVATE_KEY={server}.key",
            f"  RADI_TLS_AUTHORITIES={trusted}",
        ]

    def _next(self, machine: str) -> list[str]:
        file, trusted = self.folder / machine, self.folder / f"{authority.AUTHORITY}.pem"
        sha256 = authority.shown(Path(f"{file}.pem"))[0].sha256
        return [
            f"Put {file}.pem and {file}.key on the machine, and {trusted} as what it trusts. Then:",
            f"  radi ae set {machine} --tls required --certificate-fingerprint {sha256}",
        ]


def described(file: Path) -> tuple[Iterator[str], bool]:
    """The certificates of a file in lines, and whether all are valid now. Raises Invalid."""
    at, found = now(), authority.shown(file)
    rows: list[tuple[str, str]] = []
    for certificate in found:
        rows += [
            ("subject", certificate.subject),
            ("signed by", certificate.issuer),
            ("names", ", ".join(certificate.names)),
            ("valid from", f"{certificate.valid_from:%Y-%m-%d %H:%M} UTC"),
            ("valid until", f"{certificate.valid_until:%Y-%m-%d %H:%M} UTC{_verdict(certificate, at)}"),
            ("SHA-256", certificate.sha256),
        ]
    return table(("FIELD", "VALUE"), rows), all(certificate.is_valid(at) for certificate in found)


def _verdict(certificate: authority.Shown, at: datetime) -> str:
    if certificate.is_valid(at):
        return f" ({(certificate.valid_until - at).days} days left)"
    return " (NOT VALID NOW)"

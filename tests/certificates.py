"""Certificates for tests, made by the openssl tool: self-signed, so that each is its own authority."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest


def make(folder: Path, name: str, *, subject: str = "", days: int = 2) -> Path:
    """NAME.pem and NAME.key in the folder; one of no days has expired already."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    validity = ["-days", str(days)] if days > 0 else ["-not_before", "20200101000000Z", "-not_after", "20200102000000Z"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", *validity,
         "-subj", f"/CN={subject or name}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / f"{name}.pem"


def together(folder: Path, *names: str) -> Path:
    """One file with these certificates, to be trusted."""
    path = folder / "trusted.pem"
    path.write_text("".join((folder / f"{name}.pem").read_text() for name in names))
    return path


def client_context(folder: Path, name: str | None, server: str) -> ssl.SSLContext:
    """For a peer that shows the certificate NAME, or none, and trusts that of the server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(folder / f"{server}.pem")
    if name is not None:
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context

"""Certificates for tests, made by the openssl tool: self-signed, so that each is its own authority."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest


def make(folder: Path, name: str, *, subject: str = "", days: int = 2) -> Path:
    """NAME.pem and NAME.key in the folder; one of -1 days has expired."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    key, request, made = (folder / f"{name}.{suffix}" for suffix in ("key", "csr", "pem"))
    for command in (
        ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
         f"/CN={subject or name}", "-keyout", key, "-out", request],
        ["x509", "-req", "-in", request, "-signkey", key, "-days", str(days), "-out", made],
    ):  # fmt: skip
        subprocess.run(["openssl", *command], check=True, capture_output=True)
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

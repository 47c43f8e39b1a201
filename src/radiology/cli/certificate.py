"""`radi certificate`: certificates for associations over TLS, and what one says."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from radiology.cli.running import load, refusals, refuse, say

app = typer.Typer(help="Certificates for DICOM over TLS.", rich_markup_mode=None)


@app.command()
def make(
    machines: Annotated[
        list[str] | None, typer.Argument(metavar="[AE_TITLE]...", help="Machines that are to have a certificate.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where the files are and go; by default `certificates` in the data folder.")
    ] = None,
    host: Annotated[
        list[str] | None, typer.Option(help="Name or address of this server; may be repeated. By default its name.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3653, help="How long certificates are valid.")] = 825,
    request: Annotated[
        bool, typer.Option("--request", help="For a hospital with an authority: a key and a request for this server.")
    ] = False,
) -> None:
    """Make an authority and a certificate for this server, where there are none, and one for each machine named.

    Nothing that is there is replaced. Keys can be read by their owner alone.
    """
    with refusals():
        from radiology.application_entities.certificate_terminal import Making

        settings = load()
        making = Making(folder or settings.data_dir / "certificates", settings.ae_title, host or [_host_name()], days)
        try:
            lines = making.request() if request else making.certificates(machines or [])
        except OSError as error:
            refuse(f"{error.filename} cannot be written: {error.strerror}.")
        for line in lines:
            say(line)


@app.command()
def show(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="In PEM or DER.")]) -> None:
    """Who a certificate is for, its names, until when it is valid, and its SHA-256; exit code 1 if it is not valid."""
    with refusals():
        from radiology.application_entities.certificate_terminal import described

        lines, valid = described(file)
    for line in lines:
        say(line)
    sys.exit(0 if valid else 1)


def _host_name() -> str:
    import socket

    return socket.getfqdn()

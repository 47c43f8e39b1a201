"""`radi ae`: who is known on the DICOM network, and what each may do."""
# ruff: noqa: ARG001 - the options of `set` are read together, from the context.

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from radiology.cli.running import ask, say

app = typer.Typer(
    help="The registry of application entities: the machines of the DICOM network.", rich_markup_mode=None
)

Title = Annotated[str, typer.Argument(metavar="AE_TITLE", help="AE title of the machine.")]
AsJSON = Annotated[bool, typer.Option("--json", help="As JSON, with the names of REST.")]
_LISTS: Final = ("hosts", "services", "transfer_syntaxes")
_NUMBERS: Final = ("port", "max_associations")


@app.command("list")
def list_(as_json: AsJSON = False) -> None:
    """Every machine that is registered."""
    from radiology.application_entities import terminal

    for line in ask(lambda app: terminal.listed(app, as_json=as_json)):
        say(line)


@app.command()
def show(ae_title: Title, as_json: AsJSON = False) -> None:
    """One machine, with every field of its record."""
    from radiology.application_entities import terminal

    for line in ask(lambda app: terminal.one(app, ae_title, as_json=as_json)):
        say(line)


@app.command("set", short_help="Register a machine, or change fields of its record.")
def set_(
    context: typer.Context,
    ae_title: Title,
    host: Annotated[str | None, typer.Option(help="Where it listens: an address or a name.")] = None,
    port: Annotated[int | None, typer.Option(help="Where it listens; 0 for none.")] = None,
    hosts: Annotated[
        str | None, typer.Option(help="Where it calls from: addresses, networks, names, with commas between.")
    ] = None,
    services: Annotated[str | None, typer.Option(help="What it may use, as echo,store,mwl,mpps,commit.")] = None,
    facility_code: Annotated[str | None, typer.Option(help="The facility it belongs to.")] = None,
    move_destination: Annotated[bool | None, typer.Option(help="Whether images may be sent to it.")] = None,
    tls: Annotated[str | None, typer.Option(help="required, allowed or off.")] = None,
    certificate_fingerprint: Annotated[str | None, typer.Option(help="SHA-256 of its certificate.")] = None,
    certificate_subject: Annotated[str | None, typer.Option(help="A name in its certificate.")] = None,
    max_associations: Annotated[int | None, typer.Option(help="How many it may open at once; 0 for no limit.")] = None,
    outgoing_associations: Annotated[int | None, typer.Option(help="How many we open to it at once.")] = None,
    transfer_syntaxes: Annotated[str | None, typer.Option(help="UIDs, the preferred first.")] = None,
    wide_area: Annotated[bool | None, typer.Option(help="Reached over a slow network.")] = None,
    default_charset: Annotated[str | None, typer.Option(help="As ISO_IR 192.")] = None,
    utc_offset: Annotated[str | None, typer.Option(help="As +0600.")] = None,
    sensitive_access: Annotated[str | None, typer.Option(help="none, mask or full.")] = None,
    trusted_for_rejection: Annotated[bool | None, typer.Option(help="Its rejection notes are followed.")] = None,
    wants_warnings: Annotated[bool | None, typer.Option(help="It takes warning statuses.")] = None,
    auto_complete: Annotated[bool | None, typer.Option(help="Its studies are complete after a quiet time.")] = None,
    offers_commitment: Annotated[bool | None, typer.Option(help="It is asked for storage commitment.")] = None,
    checks_user: Annotated[bool | None, typer.Option(help="Its user must have an account here.")] = None,
    dicomweb_url: Annotated[str | None, typer.Option(help="Where it answers DICOMweb.")] = None,
    dicomweb_user: Annotated[str | None, typer.Option(help="Name there; empty for a bearer token.")] = None,
    dicomweb_secret_file: Annotated[
        Path | None, typer.Option(allow_dash=True, help="File with the password or token there; - for the input.")
    ] = None,
    enabled: Annotated[bool | None, typer.Option(help="Whether it may call and is called.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is, and where.")] = None,
) -> None:
    """Register a machine, or change its record. Fields that are not named stay; an empty text empties a field."""
    from radiology.application_entities import terminal

    given = _fields(context.params)
    ask(lambda app: terminal.set_fields(app, ae_title, given))
    say(f"{ae_title} is registered.")


@app.command()
def remove(ae_title: Title) -> None:
    """Forget a machine."""
    from radiology.access.model import SYSTEM
    from radiology.application_entities import actions

    ask(lambda app: actions.forget(app, SYSTEM, ae_title))
    say(f"{ae_title} is forgotten.")


@app.command()
def echo(ae_title: Title) -> None:
    """Ask a machine now whether it is there (C-ECHO); exit code 1 says that it does not answer."""
    from radiology.access.model import SYSTEM
    from radiology.application_entities import actions

    answer = ask(lambda app: actions.echo(app, SYSTEM, ae_title))
    say(f"{answer.sentence} ({answer.milliseconds} ms)")
    sys.exit(0 if answer.answered else 1)


def _fields(options: dict[str, Any]) -> dict[str, Any]:
    """The fields that were named, as the record holds them."""
    given = {name: value for name, value in options.items() if value is not None and name != "ae_title"}
    if secret := given.pop("dicomweb_secret_file", None):
        given["dicomweb_secret"] = (sys.stdin.read() if str(secret) == "-" else secret.read_text()).strip()
    for name in _LISTS:
        if name in given:
            given[name] = [part.strip() for part in given[name].split(",") if part.strip()]
    for name in _NUMBERS:
        if name in given:
            given[name] = given[name] or None
    if given.get("facility_code") == "":
        given["facility_code"] = None
    return given

"""The command `radi`. Each command is a few lines over one call; what is heavy is imported when it is needed."""

import os
import secrets
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from radiology.cli import (
    account,
    ae,
    audit,
    certificate,
    deidentify,
    facilities,
    migration,
    move,
    objects,
    quality,
    recompress,
    simulate,
)
from radiology.cli.running import database, load, refusals, refuse, say, say_more, with_app

if TYPE_CHECKING:
    from radiology.app import App
    from radiology.settings import Settings

app = typer.Typer(
    name="radi",
    help="Radiology: archive, information system and reporting in one service.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
doctor_app = typer.Typer(rich_markup_mode=None)
app.add_typer(doctor_app, name="doctor")
app.add_typer(account.app, name="account")
app.add_typer(ae.app, name="ae")
app.add_typer(audit.app, name="audit")
app.add_typer(quality.app, name="quality")
app.add_typer(move.app, name="move")
app.add_typer(objects.app, name="objects")
app.add_typer(certificate.app, name="certificate")
app.add_typer(facilities.app, name="facilities")
app.command("migrate-from")(migration.migrate_from)
app.command("recompress")(recompress.recompress)
app.command("deidentify")(deidentify.deidentify)
app.command("simulate")(simulate.simulate)

DEMO = "demo"
RECEPTION = "reception"
VERIFICATION, IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.1", "1.2.840.10008.1.2"


class Door(StrEnum):
    """What can be started alone, each as a deployment of its own."""

    HTTP = "http"
    DIMSE = "dimse"
    HL7 = "hl7"
    WORKER = "worker"


def main() -> None:
    """Entry point: run the command; refusals are one sentence and exit code 2, never a traceback."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # Lines of the children keep their order.
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


@app.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Without a command: serve."""
    if context.invoked_subcommand is None:
        serve()


@app.command()
def serve(
    door: Annotated[Door | None, typer.Argument(help="Only this process; by default all of them.")] = None,
) -> None:
    """Run the service: database, HTTP, DICOM and worker, until Ctrl-C or SIGTERM."""
    with refusals():
        settings = load()
        if door is None:
            _serve(settings)
        else:
            from radiology.supervisor import run_door

            run_door(door.value, settings)


@app.command()
def demo() -> None:
    """Run the service with sample studies and a demo account, and take images from any sender."""
    with refusals():
        _serve(load(demo=True, allow_unknown_ae=True, log_level="warning"), load_samples=True)


@app.command()
def token(
    name: Annotated[
        str, typer.Argument(help="Name of the account the token is for; it is made where it is not there.")
    ],
    role: Annotated[str, typer.Option(help="administrator, consultant, radiologist, resident, radiographer, ...")],
    practitioner: Annotated[
        str | None, typer.Option(help="Who signs with it, as Practitioner/222; it stays as it is where not given.")
    ] = None,
) -> None:
    """Print a bearer token for scripts. It is shown this once."""
    with database() as settings:
        from radiology.access import accounts

        print(with_app(settings, lambda app: accounts.make_token(app, name, role=role, practitioner=practitioner)))


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(exists=True, help="A file, a folder, or a ZIP of DICOM files.")],
) -> None:
    """Store every DICOM file below a path; what is refused is listed with its reason. May be repeated."""
    with database() as settings:
        sys.exit(_import(settings, path))


@app.command()
def echo(
    host: str,
    port: int,
    called: Annotated[str, typer.Option(help="AE title of the other side.")] = "ANY-SCP",
    calling: Annotated[str | None, typer.Option(help="AE title we call ourselves; ours by default.")] = None,
) -> None:
    """Ask another application entity whether it is there (C-ECHO, PS3.4 A.4)."""
    with refusals():
        from radiology.dicom_network.client import AssociationEndedError, ContextNotAcceptedError, Peer, connect

        peer = Peer(host, port, called, calling or load().ae_title)
        began = time.perf_counter()
        try:
            with connect(peer, [(VERIFICATION, [IMPLICIT_VR_LITTLE_ENDIAN])]) as association:
                association.echo()
        except (AssociationEndedError, ContextNotAcceptedError, OSError) as e:
            refuse(f"{called} at {host} port {port} does not answer: {e}")
        print(f"{called} at {host} port {port} answers after {(time.perf_counter() - began) * 1000:.0f} ms.")


@app.command()
def migrate() -> None:
    """Bring the database to the newest revision of the schema."""
    with database(migrated=False) as settings:
        from radiology.kit.migrate import upgrade

        print(f"The database has revision {upgrade(settings.database_dsn, progress=say)}.")


class Language(StrEnum):
    """What findings are said in."""

    ENGLISH = "en"
    BANGLA = "bn"


@app.command()
def trace(language: Annotated[Language, typer.Option(help="en or bn.")] = Language.ENGLISH) -> None:
    """Follow what happens at the DICOM port, with what is wrong and what to change, until Ctrl-C."""
    with database() as settings:
        from radiology.associations import terminal

        with_app(settings, lambda app: terminal.follow(app, language.value))


@doctor_app.command("ae")
def doctor_ae(
    name: Annotated[str, typer.Argument(help="AE title of the machine.")],
    language: Annotated[Language, typer.Option(help="en or bn.")] = Language.ENGLISH,
) -> None:
    """Examine one machine of the DICOM network; exit code 1 says that something is wrong."""
    with database() as settings:
        from radiology.associations import terminal

        sys.exit(0 if with_app(settings, lambda app: terminal.examine(app, name, language.value)) else 1)


@doctor_app.callback(invoke_without_command=True)
def doctor(context: typer.Context) -> None:
    """Examine database, locale, disk, ports and versions, and say what to do about what is not right."""
    if context.invoked_subcommand is not None:
        return
    with database(migrated=False) as settings:
        from radiology.doctor import examine

        good = True
        for finding in examine(settings):
            print(f"{'ok   ' if finding.good else 'WRONG'} {finding.sentence}")
            if not finding.good:
                print(f"      -> {finding.remedy}")
                good = False
        sys.exit(0 if good else 1)


@app.command()
def viewer(
    package: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The package as a file, where there is no network."),
    ] = None,
) -> None:
    """Make the viewer that is served below /viewer/, where it is not there yet: one download by npm."""
    with refusals():
        from radiology.viewer import build

        print(build.ensure(load().viewer_dir, say=say_more, package=package))


@app.command()
def settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="The text of docs/settings.md instead.")] = False,
) -> None:
    """Print every setting and the value in use; secrets are masked."""
    from radiology.settings import effective_settings, settings_document

    with refusals():
        if markdown:
            print(settings_document(), end="")
            return
        for name, value in effective_settings(load()):
            print(f"{name} = {value}")


@app.command(hidden=True)
def schema() -> None:
    """Print the schema as the revisions make it, from an empty database of the bundled PostgreSQL."""
    from radiology.kit.migrate import fresh_schema

    print(fresh_schema(), end="")


def _serve(settings: "Settings", *, load_samples: bool = False) -> NoReturn:
    from radiology import supervisor
    from radiology.viewer.place import built

    say("radiology is starting")
    after_ready = {"loader": _load_samples} if load_samples else {}
    if settings.fetch_viewer and built(settings.viewer_dir) is None:
        after_ready["viewer"] = _make_viewer
    sys.exit(supervisor.serve(settings, say=say, prepare=_prepare, after_ready=after_ready))


def _import(settings: "Settings", path: Path) -> int:
    """Import with a line of progress on a terminal; returns 0 when nothing was refused, else 1."""
    from radiology.app import App
    from radiology.studies.archive import open_archive
    from radiology.studies.importing import Import, Progress
    from radiology.studies.receive import Source

    progress = Progress()
    with open_archive(App.of(settings)) as archive:
        for progress in Import(archive, path, Source(settings.facility_code, actor="import", is_reconciled=True)).run():
            if sys.stderr.isatty():
                line = f"{progress.done} of {progress.files} files, {progress.bytes / 1024**2:.0f} MiB"
                print(f"\r  {line}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    for name, reason in progress.refused:
        print(f"refused {name}: {reason}")
    print(
        f"{progress.stored} stored, {progress.duplicates} were there already, {progress.skipped} imported earlier, "
        f"{len(progress.refused)} refused."
    )
    return 1 if progress.refused else 0


def _prepare(settings: "Settings") -> list[str]:
    """Bring the database up to date and see that somebody can log in; returns what to say about that."""
    from radiology.access import accounts
    from radiology.kit import migrate

    with refusals():
        migrate.wait_for_database(settings.database_dsn, seconds=120, progress=say_more)
        migrate.upgrade(settings.database_dsn, progress=say_more)
        if settings.demo:
            return with_app(settings, _demo_account)
        password = with_app(settings, accounts.ensure_administrator)
        if password:
            # Now, not with the announcement: whatever happens until then, somebody must know the way in.
            say(f"  first login  {accounts.ADMINISTRATOR}, one-time password {password}   (shown this once)")
        return []


async def _demo_account(app: "App") -> list[str]:
    """Make the accounts that a demonstration prints. Where others can reach it, its password is a new one each time."""
    from radiology.access import accounts
    from radiology.supervisor import is_loopback

    password = DEMO if is_loopback(app.settings.bind_address) else secrets.token_urlsafe(9)
    await accounts.make_account(
        app, DEMO, role="consultant", password=password, display="Demo", practitioner="Practitioner/222"
    )
    await accounts.make_account(app, RECEPTION, role="records", password=password, display="Reception")
    return [
        f"  login        {DEMO}, password {password}",
        f"  masked view  {RECEPTION}, password {password}: sees of a mammogram only that it is there",
    ]


def _load_samples(settings: "Settings") -> None:
    from radiology import demo

    demo.load(settings)


def _make_viewer(settings: "Settings") -> None:
    """Beside the running service, and behind it: whoever opens a page goes first."""
    from radiology.viewer.build import ensure
    from radiology.viewer.package import CannotBuild

    os.nice(10)
    try:
        ensure(settings.viewer_dir, say=say_more)
    except CannotBuild as error:
        say_more(f"The viewer is not there yet: {error} Everything else works; `./radi viewer` tries again.")

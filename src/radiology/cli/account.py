"""`radi account`: who has an account, from the machine itself; also where no administrator can sign in any more."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from radiology.cli.running import ask, say

if TYPE_CHECKING:
    from radiology.accounts.queries import Key, Listed
    from radiology.app import App

app = typer.Typer(help="Accounts of people and programs, and keys of programs.", rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="Name of the account.")]


@app.command("list")
def list_() -> None:
    """Every account: name, role, facilities, and what keeps somebody out."""
    from radiology.access.model import SYSTEM
    from radiology.accounts import actions

    now = datetime.now(UTC)
    for account in ask(lambda app: actions.find_all(app, SYSTEM)):
        say(_line(account, now))


@app.command()
def add(
    name: Name,
    role: Annotated[str, typer.Option(help="administrator, consultant, radiologist, ..., or service for a program.")],
    display: Annotated[str, typer.Option(help="The name as people read it.")] = "",
    practitioner: Annotated[str | None, typer.Option(help="Who signs with it, as Practitioner/222.")] = None,
    facilities: Annotated[str, typer.Option(help="Codes with commas between, the home first; all without.")] = "",
) -> None:
    """Make an account, and print its password for one use. A service account has none: make a key for it."""
    from pydantic import ValidationError

    from radiology.access.model import SYSTEM
    from radiology.accounts import actions
    from radiology.accounts.schemas import AccountIn
    from radiology.cli.running import refuse

    codes = [code.strip() for code in facilities.split(",") if code.strip()]
    given = {"name": name, "role": role, "display": display, "practitioner": practitioner, "facilityCodes": codes}
    try:
        account = AccountIn.model_validate(given)
    except ValidationError as error:
        refuse("; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors()))
    password = ask(lambda app: actions.add(app, SYSTEM, name, account.fields()))
    say(f"one-time password {password}" if password else f"`radi account key {name}` makes a key for it.")


@app.command()
def disable(name: Name) -> None:
    """Close an account; within five seconds it is out everywhere."""
    from radiology.accounts import actions

    _do(actions.disable, name, "is disabled")


@app.command()
def enable(name: Name) -> None:
    """Open an account again."""
    from radiology.accounts import actions

    _do(actions.enable, name, "is enabled")


@app.command()
def unlock(name: Name) -> None:
    """Whoever waits because of wrong passwords need not any more."""
    from radiology.accounts import actions

    _do(actions.unlock, name, "waits no more")


@app.command()
def reset(
    name: Name, totp: Annotated[bool, typer.Option("--totp", help="Take the second step away as well.")] = False
) -> None:
    """Print a new password for one use."""
    from radiology.access.model import SYSTEM
    from radiology.accounts import actions

    async def both(app: "App") -> str:
        if totp:
            await actions.remove_totp(app, SYSTEM, name)
        return await actions.reset(app, SYSTEM, name)

    say(f"one-time password {ask(both)}")


@app.command()
def keys(name: Name) -> None:
    """The keys of an account: id, beginning, label, scopes, end and last use."""
    from radiology.access.model import SYSTEM
    from radiology.accounts import actions

    for key in ask(lambda app: actions.keys_of(app, SYSTEM, name)):
        say(_key_line(key))


@app.command()
def key(
    name: Name,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    scopes: Annotated[str, typer.Option(help="Permissions that it has at most, with commas between.")] = "",
    expires: Annotated[datetime | None, typer.Option(help="Its end, as 2027-01-31 (UTC).")] = None,
) -> None:
    """Print a new key for a program. It is shown this once."""
    from pydantic import ValidationError

    from radiology.access.model import SYSTEM
    from radiology.accounts import actions
    from radiology.accounts.schemas import KeyIn
    from radiology.cli.running import refuse

    named = [scope.strip() for scope in scopes.split(",") if scope.strip()] or None
    try:
        wanted = KeyIn.model_validate({"label": label, "scopes": named})
    except ValidationError as error:
        refuse("; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors()))
    ends = expires.replace(tzinfo=UTC) if expires else None
    made = ask(
        lambda app: actions.make_key(app, SYSTEM, name, label=wanted.label, scopes=wanted.scopes, expires_at=ends)
    )
    say(made[1])


@app.command()
def revoke(name: Name, key_id: Annotated[UUID, typer.Argument(help="As `radi account keys` prints it.")]) -> None:
    """End a key; within five seconds it is refused everywhere."""
    from radiology.access.model import SYSTEM
    from radiology.accounts import actions

    ask(lambda app: actions.revoke_key(app, SYSTEM, name, key_id))
    say("The key has ended.")


def _do(verb: Callable[..., Awaitable[None]], name: str, done: str) -> None:
    from radiology.access.model import SYSTEM

    ask(lambda app: verb(app, SYSTEM, name))
    say(f"The account {name} {done}.")


def _line(account: "Listed", now: datetime) -> str:
    home = account.facility_code
    facilities = "all facilities" if home is None else ", ".join([home, *account.facility_codes])
    states = {
        "disabled": account.disabled_at is not None,
        "waits": account.waits_until is not None and account.waits_until > now,
        "must change the password": account.must_change_password,
        "second step": account.has_totp,
    }
    said = [name for name, is_so in states.items() if is_so]
    return "  ".join([f"{account.name:20} {account.role:16} {facilities}", *said])


def _key_line(key: "Key") -> str:
    scopes = "all of the account" if key.scopes is None else " ".join(key.scopes)
    ends = f"until {key.expires_at:%Y-%m-%d}" if key.expires_at else "without end"
    used = f"used {key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never used"
    return f"{key.id}  {key.prefix or '-':13}  {key.label or '-'}  {scopes}  {ends}  {used}"

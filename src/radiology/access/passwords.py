"""Passwords: which may be chosen (NIST SP 800-63B 5.1.1.2), how they are kept, and whether one is right.

No rule asks for digits or signs: length is what counts, and that nobody else uses the same.
"""

import asyncio
import secrets
from functools import cache
from importlib.resources import files
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from radiology.errors import FieldProblem, Unprocessable

LONGEST: Final = 1_000
ONE_TIME_BYTES: Final = 12

_hasher: Final = PasswordHasher(time_cost=2, memory_cost=32_768, parallelism=1)
#: Of a password that nobody knows: who is not known costs as much as who is.
_NOBODYS: Final = "$argon2id$v=19$m=32768,t=2,p=1$ESDAK2K4KUDY6x+FXXY4Fw$EjxxsTLKjuOL4Vjdrn9aoMw/h/swf3WHBtltSOJerPw"


def check(password: str, *, name: str, shortest: int) -> None:
    """Raises Unprocessable with what is wrong about a password that somebody chooses. `shortest` in characters."""
    if sentence := _fault(password, name, shortest):
        raise Unprocessable(f"The new password {sentence}.", fields=[FieldProblem("newPassword", sentence)])


def _fault(password: str, name: str, shortest: int) -> str:
    plain = password.casefold()
    if len(password) < shortest:
        return f"must have at least {shortest} characters"
    if len(password) > LONGEST or "\0" in password:
        return f"may have at most {LONGEST} characters, and no NUL"
    if plain == name.casefold() or plain.replace(name.casefold(), "") == "":
        return "must not be the name of the account"
    if plain in _common() or len(set(plain)) < 4:
        return "is one that many people use; choose another"
    return ""


def one_time() -> str:
    """A password that its owner changes when it is first used."""
    return secrets.token_urlsafe(ONE_TIME_BYTES)


async def hashed(password: str) -> str:
    """What is kept of a password."""
    return await asyncio.to_thread(_hasher.hash, password)


async def fits(password_hash: str | None, password: str) -> bool:
    """Whether a password is the one of this hash. Where there is none it takes as long, and is not."""
    right = await asyncio.to_thread(_verify, password_hash or _NOBODYS, password)
    return right and password_hash is not None


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False


@cache
def _common() -> frozenset[str]:
    return frozenset(files("radiology.access").joinpath("common_passwords.txt").read_text("utf-8").split())

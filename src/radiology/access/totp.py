"""The second step of signing in: codes by time (TOTP, RFC 6238), and codes for who has lost the app that shows them."""

import hashlib
import secrets
from datetime import datetime
from typing import Final
from uuid import UUID

from pyotp import random_base32
from pyotp.totp import TOTP

from radiology.kit.db import Transaction

PERIOD_SECONDS: Final = 30
#: Steps that a clock may be early or late (RFC 6238 5.2).
DRIFT: Final = (0, -1, 1)
RECOVERY_CODES: Final = 10
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_LENGTH: Final = 12


def new_secret() -> str:
    """A secret to share with the app of a person, in base32: 160 bits."""
    return random_base32()


def address(secret: str, name: str, issuer: str) -> str:
    """What the app reads from the QR code: otpauth://totp/..."""
    return TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def step_of(secret: str, code: str, *, now: datetime) -> int | None:
    """The time step whose code this is, None where it is of none near `now`."""
    totp = TOTP(secret)
    current = int(now.timestamp()) // PERIOD_SECONDS
    steps = (current + drift for drift in DRIFT)
    return next((step for step in steps if secrets.compare_digest(totp.generate_otp(step), code)), None)


def new_recovery_codes() -> list[str]:
    """Ten codes, each for one time: 59 bits, so that their hash says nothing."""
    return ["".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(RECOVERY_CODES)]


def digest(code: str) -> bytes:
    """What is kept of a recovery code."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()


async def take(tx: Transaction, account_id: UUID, code: str, *, now: datetime) -> bool:
    """Whether the code is right; if it is, nobody can use it again."""
    plain = code.replace(" ", "").replace("-", "").lower()
    if len(plain) == 6 and plain.isascii() and plain.isdigit():
        return await _take_by_time(tx, account_id, plain, now)
    return (
        await tx.run(
            "DELETE FROM recovery_codes WHERE account_id = %(account_id)s AND code_sha256 = %(code_sha256)s",
            account_id=account_id,
            code_sha256=digest(plain),
        )
        == 1
    )


async def _take_by_time(tx: Transaction, account_id: UUID, code: str, now: datetime) -> bool:
    secret = await tx.value("SELECT totp_secret FROM accounts WHERE id = %(account_id)s", account_id=account_id)
    step = step_of(secret, code, now=now) if secret else None
    if step is None:
        return False
    return (
        await tx.run(
            "UPDATE accounts SET totp_step = %(step)s WHERE id = %(account_id)s AND totp_step < %(step)s",
            account_id=account_id,
            step=step,
        )
        == 1
    )


async def enrol(tx: Transaction, account_id: UUID, secret: str) -> None:
    """Keep a secret that is not asked for yet."""
    await tx.run(
        "UPDATE accounts SET totp_secret = %(secret)s, totp_step = 0 WHERE id = %(account_id)s",
        account_id=account_id,
        secret=secret,
    )


async def confirm(tx: Transaction, account_id: UUID, codes: list[str], *, now: datetime) -> None:
    """From now on signing in needs a code; these are for who has lost the app."""
    await tx.run(
        "UPDATE accounts SET totp_confirmed_at = %(now)s WHERE id = %(account_id)s", account_id=account_id, now=now
    )
    await tx.run(
        """
        INSERT INTO recovery_codes (account_id, code_sha256)
        SELECT %(account_id)s, unnest(%(digests)s::bytea[])
        """,
        account_id=account_id,
        digests=[digest(code) for code in codes],
    )


async def remove(tx: Transaction, account_id: UUID) -> int:
    """Signing in needs the password alone. How many accounts that changed."""
    await tx.run("DELETE FROM recovery_codes WHERE account_id = %(account_id)s", account_id=account_id)
    return await tx.run(
        """
        UPDATE accounts
        SET totp_secret = NULL, totp_confirmed_at = NULL
        WHERE id = %(account_id)s
          AND totp_secret IS NOT NULL
        """,
        account_id=account_id,
    )

"""Signing in at an identity provider: authorization code flow with PKCE (OpenID Connect Core 3.1, RFC 7636, RFC 9700).

State, nonce and code verifier come from one secret that lies in a cookie of the browser for ten minutes. Whoever
brings an answer that another browser asked for has another secret, so none of the three fits.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from radiology.access import identity_queries as queries
from radiology.access.identity_provider import IdentityProvider
from radiology.access.model import Role
from radiology.access.provider_claims import Mapped, authenticated_at, display_of, name_of, practitioner_of
from radiology.access.queries import Account
from radiology.access.sessions import LONGEST, digest
from radiology.access.signed_tokens import Claims, check_id_token, check_logout_token, subject
from radiology.errors import NotAuthenticated
from radiology.kit.db import Transaction
from radiology.kit.ids import uuid7
from radiology.settings import Settings

#: How long ago somebody may have proved who it is, who was asked to prove it anew.
ANEW_SECONDS = 660.0


class NobodyHere(NotAuthenticated):
    """The provider knows somebody, and the mapping gives no place here. `reason`: role or facility."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Your account at the identity provider has no {reason} here. Ask who administers it.")
        self.reason = reason


class NotAskedAnew(NotAuthenticated):
    """The provider let somebody pass without asking who it is, or another one than who is signed in here."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in that has begun, known by the secret that the browser keeps."""

    secret: str

    @classmethod
    def new(cls) -> "Attempt":
        """Another one."""
        return cls(secrets.token_urlsafe(32))

    @property
    def state(self) -> str:
        """What the answer must bring back."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """What the ID token must hold."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """What proves that who brings the code is who asked for it (RFC 7636 4.1)."""
        return self._derived("verifier")

    def is_answered_by(self, state: str) -> bool:
        """Whether an answer is the one to this."""
        return hmac.compare_digest(state.encode(), self.state.encode())

    def _derived(self, use: str) -> str:
        return _base64url(hmac.digest(self.secret.encode(), use.encode(), "sha256"))


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who has signed in at the provider, as it and the mapping say. `facilities` None is all of them.

    authenticated_at: when that person proved to the provider who it is; the beginning of time where it does not say.
    """

    issuer: str
    subject: str
    name: str
    display: str
    role: Role
    facilities: frozenset[str] | None
    practitioner_reference: str | None
    authenticated_at: datetime
    provider_session: str | None
    id_token: str

    def account(self, id: Any, name: str) -> Account:
        """The account of that id and name as it should be now."""
        home, *further = sorted(self.facilities) if self.facilities else [None]
        return Account(
            id,
            name,
            self.role,
            None,
            must_change_password=False,
            practitioner_reference=self.practitioner_reference,
            display=self.display,
            facility_code=home,
            facility_codes=[code for code in further if code is not None],
        )


async def address(provider: IdentityProvider, settings: Settings, attempt: Attempt, *, back: str, anew: bool) -> str:
    """Where the browser goes to sign in. `anew`: the provider must ask who it is, whoever is signed in there.

    Raises Unavailable.
    """
    asked = {
        "response_type": "code",
        "client_id": settings.oidc_client_id,
        "redirect_uri": back,
        "scope": settings.oidc_scopes,
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": _base64url(hashlib.sha256(attempt.verifier.encode()).digest()),
        "code_challenge_method": "S256",
        # With any limit, the provider must say when somebody proved who it is (auth_time).
        "max_age": "0" if anew else str(int(LONGEST.total_seconds())),
    }
    if anew:
        asked["prompt"] = "login"
    return _with_query((await provider.metadata()).authorization_endpoint, asked)


async def complete(
    provider: IdentityProvider, settings: Settings, mapping: Mapped, attempt: Attempt, *, code: str, back: str,
    now: datetime, anew: bool,
) -> Somebody:  # fmt: skip
    """Who brings this code. Raises NotAuthenticated, of it NobodyHere and NotAskedAnew, and Unavailable."""
    tokens = await provider.exchange(code, verifier=attempt.verifier, redirect_uri=back)
    claims = await provider.verified(tokens.id_token)
    check_id_token(
        claims,
        issuer=provider.issuer,
        client_id=settings.oidc_client_id,
        nonce=attempt.nonce,
        access_token=tokens.access_token,
        now=now,
    )
    if not mapping.is_complete_in(claims) or "name" not in claims:
        told = await provider.userinfo(tokens.access_token)
        if told.get("sub") == subject(claims):  # OpenID Connect Core 5.3.2: else it must not be used.
            claims = {**told, **claims}
    somebody = _somebody(claims, mapping, provider.issuer, tokens.id_token)
    if anew and (now - somebody.authenticated_at).total_seconds() > ANEW_SECONDS:
        raise NotAskedAnew("The identity provider did not ask again who you are.")
    return somebody


def _somebody(claims: Claims, mapping: Mapped, issuer: str, id_token: str) -> Somebody:
    role, facilities = mapping.role_of(claims), mapping.facilities_of(claims)
    if role is None:
        raise NobodyHere("role")
    if facilities is not None and not facilities:
        raise NobodyHere("facility")
    session: Any = claims.get("sid")
    return Somebody(
        issuer=issuer,
        subject=subject(claims),
        name=name_of(claims),
        display=display_of(claims),
        role=role,
        facilities=facilities,
        practitioner_reference=practitioner_of(claims),
        authenticated_at=authenticated_at(claims),
        provider_session=session if isinstance(session, str) else None,
        id_token=id_token,
    )


@dataclass(frozen=True, slots=True)
class Admitted:
    """The account of who has signed in. `before`: its role until now, empty for one that was made just now."""

    account: Account
    before: str


async def admit(tx: Transaction, somebody: Somebody, *, now: datetime) -> Admitted:
    """The account of somebody, as the provider says it should be; it is made where there is none.

    It is found by issuer and subject alone, never by name. Raises NotAuthenticated where it was disabled here.
    """
    await queries.lock_identity(tx, issuer=somebody.issuer, subject=somebody.subject)
    linked = await queries.find_linked(tx, issuer=somebody.issuer, subject=somebody.subject)
    if linked is None:
        account = await _make(tx, somebody)
        await queries.link(tx, account.id, issuer=somebody.issuer, subject=somebody.subject, now=now)
        return Admitted(account, before="")
    if linked.disabled:
        raise NotAuthenticated("This account is disabled.")
    account = somebody.account(linked.id, linked.name)
    await queries.change_account(tx, account)
    return Admitted(account, before=linked.role)


async def _make(tx: Transaction, somebody: Somebody) -> Account:
    """An account of a name that nobody has: of two with the same one, the later gets a mark of who it is."""
    mark = hashlib.sha256(f"{somebody.issuer} {somebody.subject}".encode()).hexdigest()
    for name in (somebody.name, f"{somebody.name}.{mark[:8]}", f"{somebody.name}.{mark}"):
        account = somebody.account(uuid7(), name)
        if await queries.insert_account(tx, account):
            return account
    raise NotAuthenticated("There is no name left for your account. Ask who administers this service.")


async def keep_session(tx: Transaction, somebody: Somebody, secret: str) -> None:
    """Which session of the provider began the session of this secret."""
    await queries.save_provider_session(
        tx,
        secret_sha256=digest(secret),
        issuer=somebody.issuer,
        subject=somebody.subject,
        provider_session=somebody.provider_session,
        id_token=somebody.id_token,
    )


async def leaving_address(
    tx: Transaction, provider: IdentityProvider, settings: Settings, secret: str, *, back: str
) -> str | None:
    """Where somebody who leaves here leaves the provider as well (RP-Initiated Logout 1.0); None if there is no such.

    Raises Unavailable.
    """
    if not provider.issuer:
        return None
    hint = await queries.hint_of(tx, secret_sha256=digest(secret), issuer=provider.issuer)
    endpoint = (await provider.metadata()).end_session_endpoint if hint else ""
    if hint is None or not endpoint:
        return None
    return _with_query(
        endpoint,
        {"id_token_hint": hint.id_token, "client_id": settings.oidc_client_id, "post_logout_redirect_uri": back},
    )


async def end_by_token(
    tx: Transaction, provider: IdentityProvider, settings: Settings, claims: Claims, *, now: datetime
) -> list[str]:
    """End the sessions that a logout token names; the names of their accounts. Raises NotAuthenticated."""
    check_logout_token(claims, issuer=provider.issuer, client_id=settings.oidc_client_id, now=now)
    session: Any = claims.get("sid")
    ended = await queries.end_provider_sessions(
        tx,
        issuer=provider.issuer,
        subject=claims.get("sub"),
        provider_session=session if isinstance(session, str) else None,
    )
    return [each.account_name for each in ended]


def _with_query(endpoint: str, parameters: dict[str, str]) -> str:
    return endpoint + ("&" if "?" in endpoint else "?") + urlencode(parameters)


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

"""Access tokens that the identity provider signed (RFC 9068): whoever sends one becomes an Actor."""

import hashlib
from typing import Final

from radiology.access import identity_queries as queries
from radiology.access.identity_provider import IdentityProvider
from radiology.access.model import ROLES, Actor, Role
from radiology.access.provider_claims import Mapped, authenticated_at, display_of, practitioner_of, scopes_of
from radiology.access.queries import find_account
from radiology.access.scopes import is_for_programs
from radiology.access.signed_tokens import Claims, check_access_token, subject, time_of
from radiology.app import App
from radiology.errors import NotAuthenticated
from radiology.kit.clock import monotonic_seconds

REMEMBERED_SECONDS: Final = 60.0
REMEMBERED: Final = 1_000


class BearerTokens:
    """Turns signed tokens into actors, and remembers them until they end, a minute at most."""

    def __init__(self, app: App, provider: IdentityProvider, mapping: Mapped) -> None:
        self._app, self._provider, self._mapping = app, provider, mapping
        self._remembered: dict[bytes, tuple[float, Actor]] = {}

    def takes(self, token: str) -> bool:
        """Whether it looks like one of them, and they are taken here."""
        return bool(self._provider.issuer and self._app.settings.oidc_audience) and token.count(".") == 2

    async def actor_of(self, token: str) -> Actor:
        """Whose token it is. Raises NotAuthenticated, Unavailable."""
        key = hashlib.sha256(token.encode()).digest()
        until, actor = self._remembered.get(key, (0.0, None))
        if actor is not None and until > monotonic_seconds():
            return actor
        claims = await self._provider.verified(token)
        now = self._app.clock.now()
        check_access_token(claims, issuer=self._provider.issuer, audience=self._app.settings.oidc_audience, now=now)
        actor = await self._actor(claims)
        left = (time_of(claims, "exp") or 0.0) - now.timestamp()
        if len(self._remembered) >= REMEMBERED:
            self._remembered.clear()
        self._remembered[key] = (monotonic_seconds() + min(REMEMBERED_SECONDS, left), actor)
        return actor

    async def _actor(self, claims: Claims) -> Actor:
        """Somebody with an account is that account, with the role that the token gives; else a program or person."""
        scopes = scopes_of(claims)
        role = self._mapping.role_of(claims)
        if role is None and scopes is not None and is_for_programs(scopes):
            role = Role.SERVICE
        facilities = self._mapping.facilities_of(claims)
        if role is None or (facilities is not None and not facilities):
            raise NotAuthenticated(
                "The identity provider gives whoever this token is about no role, or no facility, here."
            )
        return Actor(
            id=await self._id(claims),
            display=display_of(claims),
            permissions=ROLES[role],
            role=role,
            facility_codes=facilities,
            home_facility=min(facilities or (), default=None),
            practitioner_reference=practitioner_of(claims),
            authenticated_at=None if role == Role.SERVICE else authenticated_at(claims),
            scopes=scopes,
        )

    async def _id(self, claims: Claims) -> str:
        who = subject(claims)
        async with self._app.db.transaction() as tx:
            linked = await queries.find_linked(tx, issuer=self._provider.issuer, subject=who)
            if linked is None:
                return f"subject:{who}"
            if await find_account(tx, linked.name) is None:
                raise NotAuthenticated("This account is disabled.")
        return f"account:{linked.name}"

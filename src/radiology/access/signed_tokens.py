"""JSON Web Tokens of an identity provider: signature and claims (RFC 7519, RFC 8725, OpenID Connect Core 3.1.3.7).

Which algorithm may be used is decided here and by the kind of key, never by the token alone: a public key verifies no
HMAC, and what is not signed is refused.
"""

import base64
import binascii
import hashlib
import hmac
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from radiology.errors import NotAuthenticated

Claims = Mapping[str, Any]
Key = RSAKey | ECKey

SKEW_SECONDS: Final = 60.0
LONGEST_TOKEN_BYTES: Final = 16 * 1024
LEAST_RSA_BITS: Final = 2048
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
#: How long after it was made a logout token may arrive.
LOGOUT_SECONDS: Final = 300.0
_KINDS: Final[Mapping[str, type[Key]]] = {"RS256": RSAKey, "PS256": RSAKey, "ES256": ECKey}
ALGORITHMS: Final = frozenset(_KINDS)


@dataclass(frozen=True, slots=True)
class Header:
    """What a token says of its signature. `kid` None: it does not say by which key."""

    algorithm: str
    kid: str | None


def header_of(token: str) -> Header:
    """The header of a token. Raises NotAuthenticated for what is no signed token, or one signed by other means."""
    if len(token) > LONGEST_TOKEN_BYTES or token.count(".") != 2 or not token.isascii():
        raise NotAuthenticated("This is no signed token (JWS compact, RFC 7515), or it is too long.")
    first = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
        algorithm, kid = header["alg"], header.get("kid")
    except (binascii.Error, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise NotAuthenticated("The header of this token cannot be read.") from None
    if algorithm not in ALGORITHMS or not isinstance(kid, str | None):
        raise NotAuthenticated(f"Tokens must be signed by one of {', '.join(sorted(ALGORITHMS))}.")
    return Header(algorithm, kid)


def keys_of(key_set: Any) -> dict[str, list[Key]]:
    """The keys of a JWK Set (RFC 7517) that may verify tokens, by their ids; "" for those without one.

    Symmetric keys, keys for encryption, short RSA keys and other curves than P-256 are left out.
    """
    found: dict[str, list[Key]] = {}
    members: Any = cast("dict[str, Any]", key_set).get("keys") if isinstance(key_set, dict) else None
    for given in cast("list[Any]", members) if isinstance(members, list) else []:
        member = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
        key = _key_of(member)
        if key is not None:
            found.setdefault(str(member.get("kid") or ""), []).append(key)
    return found


def _key_of(member: dict[str, Any]) -> Key | None:
    if member.get("use", "sig") != "sig" or "verify" not in member.get("key_ops", ("verify",)):
        return None
    try:
        if member.get("kty") == "RSA":
            key = RSAKey.import_key({name: member[name] for name in ("kty", "n", "e")} | _algorithm(member))
            return key if key.public_key.key_size >= LEAST_RSA_BITS else None
        if member.get("kty") == "EC" and member.get("crv") == "P-256":
            return ECKey.import_key({name: member[name] for name in ("kty", "crv", "x", "y")} | _algorithm(member))
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None


def _algorithm(member: dict[str, Any]) -> dict[str, Any]:
    return {"alg": member["alg"]} if "alg" in member else {}


def key_for(header: Header, keys: Mapping[str, Sequence[Key]]) -> Key | None:
    """The one key that a token can be verified by; None where it is not there, or not known which it is."""
    given = keys.get(header.kid, ()) if header.kid else [key for each in keys.values() for key in each]
    kind = _KINDS[header.algorithm]
    fitting = [key for key in given if type(key) is kind and key.get("alg") in (None, header.algorithm)]
    return fitting[0] if len(fitting) == 1 else None


def claims_of(token: str, header: Header, key: Key) -> Claims:
    """The claims of a token whose signature is right. Raises NotAuthenticated."""
    try:
        payload = jws.deserialize_compact(token.encode(), key, algorithms=[header.algorithm]).payload
        claims = json.loads(payload)
    except (JoseError, ValueError, RecursionError):
        raise NotAuthenticated("The signature of this token is wrong.") from None
    if not isinstance(claims, dict):
        raise NotAuthenticated("This token holds no claims.")
    return cast("dict[str, Any]", claims)


def check(claims: Claims, *, issuer: str, audience: str, now: datetime) -> None:
    """Who made it, for whom, and that its time is now. Raises NotAuthenticated that says which is wrong."""
    if claims.get("iss") != issuer:
        raise NotAuthenticated("This token was made by another issuer.")
    if not audience or audience not in audiences(claims):
        raise NotAuthenticated("This token was made for another audience.")
    moment = now.timestamp()
    if moment >= _time(claims, "exp") + SKEW_SECONDS:
        raise NotAuthenticated("The time of this token is over.")
    if _time(claims, "iat") > moment + SKEW_SECONDS or _time(claims, "nbf", 0.0) > moment + SKEW_SECONDS:
        raise NotAuthenticated("The time of this token has not come. Compare the clocks of provider and service.")
    subject(claims)


def check_id_token(
    claims: Claims, *, issuer: str, client_id: str, nonce: str, access_token: str, now: datetime
) -> None:
    """An ID token, for whom asked for it with this nonce (OpenID Connect Core 3.1.3.7). Raises NotAuthenticated."""
    check(claims, issuer=issuer, audience=client_id, now=now)
    authorized = claims.get("azp")
    if authorized != client_id and (authorized is not None or len(audiences(claims)) > 1):
        raise NotAuthenticated("This token was made for another client (azp).")
    if not _same(claims.get("nonce"), nonce):
        raise NotAuthenticated("This token answers another sign-in (nonce).")
    if "at_hash" in claims and not _same(claims["at_hash"], half_hash(access_token)):
        raise NotAuthenticated("This token belongs to another access token (at_hash).")


def check_access_token(claims: Claims, *, issuer: str, audience: str, now: datetime) -> None:
    """An access token for our interface: no ID token and no logout token. Raises NotAuthenticated."""
    check(claims, issuer=issuer, audience=audience, now=now)
    if "nonce" in claims or "at_hash" in claims or "events" in claims:
        raise NotAuthenticated("This is no access token. Send the access token, not the ID token.")


def check_logout_token(claims: Claims, *, issuer: str, client_id: str, now: datetime) -> None:
    """A logout token (OpenID Connect Back-Channel Logout 2.6). Raises NotAuthenticated."""
    lasting = {"exp": _time(claims, "iat") + LOGOUT_SECONDS, "sub": claims.get("sid"), **claims}
    check(lasting, issuer=issuer, audience=client_id, now=now)
    events: Any = claims.get("events")
    if not isinstance(events, dict) or LOGOUT_EVENT not in events or "nonce" in claims:
        raise NotAuthenticated("This is no logout token.")
    if now.timestamp() > _time(claims, "iat") + LOGOUT_SECONDS:
        raise NotAuthenticated("This logout token is too old.")


def audiences(claims: Claims) -> list[str]:
    """For whom a token was made."""
    given: Any = claims.get("aud")
    return [given] if isinstance(given, str) else cast("list[str]", given) if isinstance(given, list) else []


def subject(claims: Claims) -> str:
    """Whom a token is about (`sub`). Raises NotAuthenticated where that is missing or cannot be."""
    given: Any = claims.get("sub")
    if not isinstance(given, str) or not given or len(given) > 255 or "\0" in given:
        raise NotAuthenticated("This token does not say whom it is about (sub).")
    return given


def time_of(claims: Claims, name: str) -> float | None:
    """A NumericDate (RFC 7519 2) as seconds; None where it is missing or is none."""
    given: Any = claims.get(name)
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        return None
    return float(given) if 0 <= given < 1e11 else None


def half_hash(token: str) -> str:
    """The left half of the SHA-256, which all our algorithms use, as in `at_hash` (OpenID Connect Core 3.1.3.6)."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()[:16]).rstrip(b"=").decode()


def _time(claims: Claims, name: str, missing: float | None = None) -> float:
    if missing is not None and name not in claims:
        return missing
    moment = time_of(claims, name)
    if moment is None:
        raise NotAuthenticated(f"This token does not say its {name}.")
    return moment


def _same(given: Any, expected: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(), expected.encode())

"""Signed tokens of an identity provider: what is refused, whatever it is signed by, and keys that change."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from issuer import AUDIENCE, CLIENT, Issuer, ec, rsa, running
from radiology.access import identity_provider
from radiology.access.identity_provider import IdentityProvider
from radiology.access.signed_tokens import (
    LOGOUT_EVENT,
    check_access_token,
    check_id_token,
    check_logout_token,
    half_hash,
    header_of,
    keys_of,
)
from radiology.errors import NotAuthenticated, Unavailable
from radiology.settings import Settings

pytestmark = pytest.mark.anyio
RSA, EC = rsa(), ec()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running(RSA, EC) as opened:
        yield opened


@pytest.fixture
def provider(issuer: Issuer) -> IdentityProvider:
    return IdentityProvider(Settings(oidc_issuer=issuer.url, oidc_client_id=CLIENT, oidc_audience=AUDIENCE))


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
async def test_what_the_issuer_signed_is_taken(issuer: Issuer, provider: IdentityProvider, algorithm: str) -> None:
    token = issuer.sign(EC if algorithm == "ES256" else RSA, algorithm)
    claims = await provider.verified(token)
    check_access_token(claims, issuer=issuer.url, audience=AUDIENCE, now=now())
    assert claims["sub"] == "u-1"
    spoilt = token[:-6] + ("AAAAAA" if token[-6:] != "AAAAAA" else "BBBBBB")
    with pytest.raises(NotAuthenticated, match="signature"):
        await provider.verified(spoilt)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_no_algorithm_but_the_allowed_ones_is_taken(issuer: Issuer, provider: IdentityProvider) -> None:
    """RFC 8725 3.1: neither none, nor HMAC with the public key, nor a key of another kind."""
    await provider.verified(issuer.sign())
    for name in ("none", "None", "nOnE", ""):
        with pytest.raises(NotAuthenticated, match="signed by one of"):
            await provider.verified(f"{part({'alg': name, 'kid': 'rsa'})}.{part(issuer.claims())}.")
    public = RSA.as_pem(private=False)
    for secret in (public, public.strip(), RSA.as_der(private=False)):
        signed = f"{part({'alg': 'HS256', 'kid': 'rsa'})}.{part(issuer.claims())}"
        mark = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), hashlib.sha256)).rstrip(b"=").decode()
        with pytest.raises(NotAuthenticated, match="signed by one of"):
            await provider.verified(f"{signed}.{mark}")
    confused = jwt.encode({"alg": "ES256", "kid": "rsa"}, issuer.claims(), EC, algorithms=["ES256"])
    with pytest.raises(NotAuthenticated, match="key that the identity provider does not name"):
        await provider.verified(confused)


async def test_the_key_that_a_token_brings_along_is_not_believed(issuer: Issuer, provider: IdentityProvider) -> None:
    own = rsa("rsa")
    header = {"alg": "RS256", "kid": "rsa", "jwk": own.as_dict(private=False)}
    with pytest.raises(NotAuthenticated):
        await provider.verified(jwt.encode(header, issuer.claims(), own, algorithms=["RS256"]))


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "..", "é.b.c", "x" * 20_000 + "..", "bnVsbA.e30.x", "W10.e30.x"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(NotAuthenticated):
        header_of(token)


WRONG = {
    "another issuer": ({"iss": "https://evil.test"}, "another issuer"),
    "no issuer": ({"iss": None}, "another issuer"),
    "another audience": ({"aud": "https://other.test"}, "another audience"),
    "no audience": ({"aud": None}, "another audience"),
    "expired": ({"exp": time.time() - 3600}, "over"),
    "no end": ({"exp": None}, "exp"),
    "endless": ({"exp": float("inf")}, "exp"),
    "no number": ({"exp": "tomorrow"}, "exp"),
    "true": ({"exp": True}, "exp"),
    "not yet": ({"nbf": time.time() + 3600}, "not come"),
    "of the future": ({"iat": time.time() + 3600}, "not come"),
    "no beginning": ({"iat": None}, "iat"),
    "nobody": ({"sub": None}, "sub"),
    "an ID token": ({"nonce": "n"}, "no access token"),
    "a logout token": ({"events": {LOGOUT_EVENT: {}}}, "no access token"),
}


@pytest.mark.parametrize("case", WRONG)
def test_claims_that_do_not_fit_are_refused(case: str) -> None:
    changed, said = WRONG[case]
    claims = Issuer("https://id.test").claims(**changed)
    with pytest.raises(NotAuthenticated, match=said):
        check_access_token(claims, issuer="https://id.test", audience=AUDIENCE, now=now())


def test_clocks_may_differ_by_a_minute() -> None:
    moment = time.time()
    claims = Issuer("https://id.test").claims(iat=moment + 50, nbf=moment + 50, exp=moment - 50)
    check_access_token(claims, issuer="https://id.test", audience=AUDIENCE, now=now())


ID = {"aud": CLIENT, "nonce": "n", "at_hash": half_hash("access")}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"at_hash": None}, ""),
        ({"aud": [CLIENT, "other"], "azp": CLIENT}, ""),
        ({"nonce": "m"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"at_hash": half_hash("other")}, "at_hash"),
        ({"azp": "other"}, "azp"),
        ({"aud": [CLIENT, "other"]}, "azp"),
        ({"aud": AUDIENCE}, "audience"),
    ],
)
def test_an_id_token_is_for_who_asked_for_it(changed: dict[str, Any], said: str) -> None:
    claims = Issuer("https://id.test").claims(**(ID | changed))
    asked: Any = {
        "issuer": "https://id.test", "client_id": CLIENT, "nonce": "n", "access_token": "access", "now": now(),
    }  # fmt: skip
    if not said:
        check_id_token(claims, **asked)
        return
    with pytest.raises(NotAuthenticated, match=said):
        check_id_token(claims, **asked)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"sub": None}, ""),
        ({"exp": None}, ""),
        ({"sub": None, "sid": None}, "sub"),
        ({"events": None}, "no logout token"),
        ({"events": {"other": {}}}, "no logout token"),
        ({"nonce": "n"}, "no logout token"),
        ({"iat": time.time() - 4000}, "too old"),
    ],
)
def test_a_logout_token_says_who_left(changed: dict[str, Any], said: str) -> None:
    claims = Issuer("https://id.test").claims(**({"aud": CLIENT, "sid": "s", "events": {LOGOUT_EVENT: {}}} | changed))
    if not said:
        check_logout_token(claims, issuer="https://id.test", client_id=CLIENT, now=now())
        return
    with pytest.raises(NotAuthenticated, match=said):
        check_logout_token(claims, issuer="https://id.test", client_id=CLIENT, now=now())


def test_keys_that_verify_nothing_here_are_left_out() -> None:
    good = RSA.as_dict(private=False)
    other = ECKey.generate_key("P-384").as_dict(private=False)
    keys = [good | {"use": "enc"}, {"kty": "oct", "k": "c2VjcmV0", "kid": "rsa"}, other, {"kty": "RSA", "n": 1}, None]
    assert keys_of({"keys": keys}) == {}
    assert keys_of({"keys": "none"}) == keys_of([]) == keys_of(None) == {}
    assert list(keys_of({"keys": [good, *keys]})) == ["rsa"]


async def test_a_new_key_is_asked_for_and_an_old_one_ends(
    issuer: Issuer, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [1000.0]
    monkeypatch.setattr(identity_provider, "monotonic_seconds", lambda: moment[0])
    old = issuer.sign()
    await provider.verified(old)
    issuer.keys = [rsa("next")]
    with pytest.raises(NotAuthenticated, match="does not name"):
        await provider.verified(issuer.sign())
    assert issuer.asked["/keys"] == 1, "made-up keys do not make us call more than every 30 seconds"
    moment[0] += 30
    await provider.verified(issuer.sign())
    assert issuer.asked["/keys"] == 2
    moment[0] += 30
    with pytest.raises(NotAuthenticated, match="does not name"):
        await provider.verified(old)
    assert issuer.asked["/.well-known/openid-configuration"] == 1


async def test_while_the_provider_is_away_its_keys_stay(
    issuer: Issuer, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [1000.0]
    monkeypatch.setattr(identity_provider, "monotonic_seconds", lambda: moment[0])
    token = issuer.sign()
    issuer.status = 503
    with pytest.raises(Unavailable, match="does not answer"):
        await provider.verified(token)
    issuer.status = 200
    await provider.verified(token)
    issuer.status = 500
    moment[0] += 5000
    await provider.verified(token)


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://evil.test"},
        {"token_endpoint": "http://169.254.169.254/latest"},
        {"jwks_uri": "http://other.test/keys"},
        {"jwks_uri": "https://169.254.169.254/keys"},
        {"jwks_uri": None},
    ],
)
async def test_what_another_issuer_says_or_what_must_not_be_called_is_not_followed(
    issuer: Issuer, provider: IdentityProvider, said: dict[str, Any]
) -> None:
    issuer.metadata = said
    with pytest.raises(Unavailable):
        await provider.verified(issuer.sign())
    assert issuer.asked["/keys"] == 0


async def test_no_redirect_is_followed(issuer: Issuer, provider: IdentityProvider) -> None:
    issuer.status, issuer.headers = 302, {"Location": f"{issuer.url}/keys"}
    with pytest.raises(Unavailable):
        await provider.metadata()
    assert issuer.asked["/keys"] == 0

"""What it costs to verify a signed token of an identity provider, signature and claims: microseconds each time."""

import statistics
import time
from datetime import UTC, datetime

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from radiology.access.signed_tokens import Key, check_access_token, claims_of, header_of, key_for, keys_of

ISSUER, AUDIENCE = "https://id.example.org", "https://pacs.example.org"
TIMES = 2_000


def figures() -> dict[str, float]:
    """The median of each algorithm."""
    return {
        "token_rs256_us": _median_us(RSAKey.generate_key(2048, {"kid": "k"}), "RS256"),
        "token_es256_us": _median_us(ECKey.generate_key("P-256", {"kid": "k"}), "ES256"),
    }


def _median_us(key: Key, algorithm: str) -> float:
    moment = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u-1", "iat": moment, "exp": moment + 600, "scope": "user/*.rs"}
    token = jwt.encode({"alg": algorithm, "kid": "k"}, claims, key, algorithms=[algorithm])
    keys = keys_of({"keys": [key.as_dict(private=False)]})
    spent: list[float] = []
    for _ in range(TIMES):
        began = time.perf_counter()
        header = header_of(token)
        known = key_for(header, keys)
        assert known is not None
        check_access_token(claims_of(token, header, known), issuer=ISSUER, audience=AUDIENCE, now=datetime.now(UTC))
        spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1e6

"""Call a peer by DICOMweb (PS3.18) as its record says. All of it blocks: for a thread."""

import ssl
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar, cast
from urllib.parse import quote, urlencode

import httpx2
import orjson

from radiology.application_entities.calling import WAIT_FOR_PLACE_SECONDS, place
from radiology.application_entities.model import ApplicationEntity
from radiology.errors import Invalid, PeerFailed, Unprocessable
from radiology.kit.multipart import MultipartReader, Part, boundary_of
from radiology.kit.outgoing import must_be_callable
from radiology.settings import Settings
from radiology.standards.dicom.attributes import UnknownAttributeError, tag_of

DICOM_JSON: Final = "application/dicom+json"
#: Whatever the transfer syntax is in which the peer keeps them (PS3.18 8.7.3.5.2).
DICOM_PARTS: Final = 'multipart/related; type="application/dicom"; transfer-syntax=*'
NO_CONTENT: Final = 204
NOT_FOUND: Final = 404
RESOURCES: Final[Mapping[str, str]] = {"STUDY": "studies", "SERIES": "series", "IMAGE": "instances"}
#: An answer of a search may not be larger: it is held in memory.
LARGEST_ANSWER_BYTES: Final = 256 * 1024 * 1024
CHUNK_BYTES: Final = 256 * 1024

Answers = list[dict[str, Any]]


class WebPart(Part, Protocol):
    """Takes one object of an answer, a PS3.10 file."""

    def end(self) -> None:
        """It is whole."""
        ...


P = TypeVar("P", bound=WebPart)


@dataclass(frozen=True, slots=True)
class WebPeer:
    """A peer to which requests can be sent. What it does not do is a PeerFailed that says so."""

    entity: ApplicationEntity
    client: httpx2.Client

    def search(self, path: str, parameters: Iterable[tuple[str, str]]) -> tuple[Answers, bool]:
        """Search Transaction (PS3.18 10.6): the answers in the DICOM JSON model, and whether that is all."""
        # `*` is a wildcard to some servers only where it is not percent-encoded (RFC 3986 3.4 lets it stand).
        query = urlencode(list(parameters), safe="*?,", quote_via=quote)
        with self._answer("GET", f"{path}?{query}", headers={"Accept": DICOM_JSON}) as answer:
            if answer.status_code == NO_CONTENT:
                return [], True
            body = self._whole(answer)
            # More than it gave: PS3.18 8.3.4.4.
            is_all = not answer.headers.get("Warning", "").startswith("299")
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise self._failed("answered a search with what is no JSON") from error
        if not isinstance(found, list):
            raise self._failed("answered a search with what is no list")
        return cast("Answers", found), is_all

    def retrieve(self, path: str, open_part: Callable[[str], P]) -> bool:
        """Retrieve Transaction (PS3.18 10.4): each object goes to what `open_part` gives. False where it has none."""
        with self._answer("GET", path, headers={"Accept": DICOM_PARTS}) as answer:
            if answer.status_code == NOT_FOUND:
                return False
            try:
                boundary, _ = boundary_of(answer.headers.get("Content-Type", ""))
                reader = MultipartReader(boundary, open_part)
                for chunk in answer.iter_bytes(CHUNK_BYTES):
                    for part in reader.feed(chunk):
                        part.end()
                reader.finish()
            except Invalid as error:
                raise self._failed(f"sent objects in a form that cannot be read ({error.sentence})") from error
        return True

    def store(self, content: Iterable[bytes], boundary: str) -> tuple[int, dict[str, Any]]:
        """Store Transaction (PS3.18 10.5): its status, and the Store Instances Response, empty where it gave none."""
        headers = {
            "Accept": DICOM_JSON,
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
        }
        with self._answer("POST", "/studies", headers=headers, content=content) as answer:
            body = self._whole(answer)
            try:
                told = orjson.loads(body)
            except orjson.JSONDecodeError:
                told = {}
        return answer.status_code, cast("dict[str, Any]", told) if isinstance(told, dict) else {}

    @contextmanager
    def _answer(self, method: str, path: str, **request: Any) -> Generator[httpx2.Response]:
        """The answer to a request, not read yet. Raises PeerFailed for one that says no."""
        try:
            with self.client.stream(method, self.entity.dicomweb_url + path, **request) as answer:
                if answer.status_code not in _READABLE[method]:
                    resource = path.partition("?")[0]
                    raise self._failed(
                        f"answered {method} {resource} with {answer.status_code}{_hint(answer.status_code)}"
                    )
                yield answer
        except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL) as error:
            raise self._failed(f"cannot be reached ({_reason(error)})") from error

    def _whole(self, answer: httpx2.Response) -> bytes:
        body = bytearray()
        for chunk in answer.iter_bytes(CHUNK_BYTES):
            body += chunk
            if len(body) > LARGEST_ANSWER_BYTES:
                raise self._failed("answered with more than can be held. Ask for less")
        return bytes(body)

    def _failed(self, what: str) -> PeerFailed:
        return PeerFailed(f"{self.entity.ae_title} at {self.entity.dicomweb_url} {what}.")


_READABLE: Final[Mapping[str, frozenset[int]]] = {
    "GET": frozenset({200, 204, 206, 404}),
    # 409: none was stored, and the body says why (PS3.18 table 10.5.3-1).
    "POST": frozenset({200, 202, 409}),
}


@contextmanager
def web_peer(
    settings: Settings, entity: ApplicationEntity, *, wait_seconds: float = WAIT_FOR_PLACE_SECONDS
) -> Generator[WebPeer]:
    """A peer, to be called over one of the few connections that all our processes together open to it.

    Raises Unprocessable for a record that says nowhere to call or where we do not call, Unavailable when no place
    becomes free in time.
    """
    if not entity.enabled or not entity.dicomweb_url:
        raise Unprocessable(f"{entity.ae_title} is disabled, or its record does not say where it answers DICOMweb.")
    must_be_callable(entity.dicomweb_url)
    limits = httpx2.Timeout(settings.dimse_timeout_seconds, connect=settings.artim_seconds)
    headers: dict[str, str] = {}
    if entity.dicomweb_secret and not entity.dicomweb_user:
        headers["Authorization"] = f"Bearer {entity.dicomweb_secret}"
    with (
        place(settings, entity, wait_seconds),
        httpx2.Client(
            auth=(entity.dicomweb_user, entity.dicomweb_secret) if entity.dicomweb_user else None,
            headers=headers,
            timeout=limits,
            verify=_trust(settings.tls_authorities, settings.tls_certificate, settings.tls_private_key),
            # The record says where the secret may go; nothing else does.
            follow_redirects=False,
            trust_env=False,
        ) as client,
    ):
        yield WebPeer(entity, client)


def search(
    settings: Settings, entity: ApplicationEntity, level: str, keys: Iterable[tuple[str, str]], *, limit: int
) -> tuple[Answers, bool]:
    """What a peer finds at a level, and whether that is all. Raises Invalid for a key that is none, PeerFailed."""
    if level not in RESOURCES:
        raise Invalid(f"DICOMweb has no level {level} (PS3.18 10.6.1.1). Ask for STUDY.")
    parameters = [("limit", str(limit + 1)), *_parameters(keys)]
    with web_peer(settings, entity) as peer:
        found, is_all = peer.search("/" + RESOURCES[level], parameters)
    return found[:limit], is_all and len(found) <= limit


def _parameters(keys: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, text in keys:
        try:
            path = tag_of(name)
        except UnknownAttributeError as error:
            raise Invalid(f"{error}.") from error
        dotted = ".".join(path.tags)
        if not text:
            yield "includefield", dotted
        else:
            yield dotted, text.replace("\\", ",") if path.vr == "UI" else text


@lru_cache(maxsize=8)
def _trust(authorities: Path | None, certificate: Path | None, private_key: Path | None) -> ssl.SSLContext:
    """The authorities of this machine and our own; with our certificate, for peers that ask for one."""
    context = ssl.create_default_context()
    try:
        if authorities:
            context.load_verify_locations(authorities)
        if certificate and private_key:
            context.load_cert_chain(certificate, private_key)
    except OSError as error:
        raise Unprocessable(f"Our certificate for TLS cannot be used ({error.strerror or error}).") from error
    return context


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    return str(error) or str(cause or type(error).__name__)


def _hint(status: int) -> str:
    if status in {401, 403}:
        return ": check user and secret in its record"
    return ": it moved; put the new address into its record" if status in range(300, 400) else ""

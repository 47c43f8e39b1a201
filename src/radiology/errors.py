"""Every refusal of this product, with the status that each door gives it.

    RadiologyError
    |-- Invalid 400 C000                 the request cannot be understood
    |-- NotAuthenticated 401             nobody is signed in
    |-- TooManyAttempts 429 0124         too many wrong passwords in a short time
    |-- NotPermitted 403 0124            signed in, but may not
    |   `-- SensitiveStudy 403 0124      a sensitive study, and no relation to its patient
    |-- NotFound 404 0112                there is no such thing, or not for this reader
    |-- Conflict 409 0110                the thing is in another state
    |   |-- TransitionRefused 409 0110   the state machine has no such step
    |   |-- DuplicateInstance 409 C104   the same SOP Instance UID with other content
    |   `-- RejectedInstance 409 C105    the SOP Instance UID was rejected before
    |-- DataSetMismatch 409 A900         data set and command, path or SOP class disagree
    |-- CannotUnderstand 400 C100        the data set does not parse
    |-- StaleVersion 412 0110            somebody else changed it first
    |-- TooLarge 413 A700                the body is larger than allowed
    |-- NotAcceptable 406                none of the accepted media types can be sent
    |-- NotSupported 415 0122            media type, transfer syntax or SOP class
    |-- Unprocessable 422 C101           understood, but a value cannot be right
    |   |-- AttributesRefused 422 0106 attributes of N-CREATE or N-SET are missing, empty or wrong
    |   `-- OrderBlocked 422 C101       a rule of safety blocks the order, and nobody overrides it
    |-- PeerFailed 502 A702              another system did not do what it was asked
    `-- Unavailable 503 A700             try again later: disk, database or object store

Doors map by attribute (`http_status`, `dimse_status`, `failure_reason`), so a new error touches this file alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field of a request that is wrong: where it stands and what would be right."""

    field: str
    message: str


class RadiologyError(Exception):
    """A refusal that is expected: one sentence that says what to do."""

    http_status = 500
    dimse_status = 0xC000
    title = "Internal error"

    def __init__(
        self,
        sentence: str,
        *,
        fields: Sequence[FieldProblem] = (),
        tag: str | None = None,
        dimse_status: int | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.fields = tuple(fields)
        self.tag = tag
        if dimse_status is not None:
            self.dimse_status = dimse_status

    @property
    def also(self) -> Mapping[str, Any]:
        """Members of its own in a problem document (RFC 9457 3.2)."""
        return {}

    @property
    def failure_reason(self) -> int:
        """Failure Reason (0008,1197) of a STOW-RS answer (PS3.18 table 10.5.3-1): the DIMSE status."""
        return self.dimse_status


class Invalid(RadiologyError):
    http_status = 400
    title = "The request cannot be understood"


class NotAuthenticated(RadiologyError):
    http_status = 401
    dimse_status = 0x0124
    title = "Sign in first"


class TooManyAttempts(RadiologyError):
    http_status = 429
    dimse_status = 0x0124
    title = "Too many attempts"


class NotPermitted(RadiologyError):
    http_status = 403
    dimse_status = 0x0124
    title = "Not permitted"


class SensitiveStudy(NotPermitted):
    """`breaks_glass`: whether whoever asked may see the study by breaking the glass."""

    title = "Sensitive"

    def __init__(self, *, breaks_glass: bool) -> None:
        remedy = "In an emergency, break the glass." if breaks_glass else "Ask the privacy officer."
        super().__init__(f"This study is sensitive, and you do not take part in the care of this patient. {remedy}")
        self.breaks_glass = breaks_glass

    @property
    def also(self) -> Mapping[str, Any]:
        return {"error": "sensitive", "breakGlass": self.breaks_glass}


class NotFound(RadiologyError):
    http_status = 404
    dimse_status = 0x0112
    title = "Not found"


class Conflict(RadiologyError):
    http_status = 409
    dimse_status = 0x0110
    title = "Conflict"


class TransitionRefused(Conflict):
    title = "This step is not possible from here"


class DuplicateInstance(Conflict):
    dimse_status = 0xC104
    title = "The same SOP Instance UID is stored with other content"


class RejectedInstance(Conflict):
    dimse_status = 0xC105
    title = "The SOP Instance UID was rejected"


class DataSetMismatch(RadiologyError):
    http_status = 409
    dimse_status = 0xA900
    title = "Data set does not match"


class CannotUnderstand(RadiologyError):
    http_status = 400
    dimse_status = 0xC100
    title = "The data set does not parse"


class StaleVersion(RadiologyError):
    http_status = 412
    dimse_status = 0x0110
    title = "Somebody else changed it first"


class TooLarge(RadiologyError):
    http_status = 413
    dimse_status = 0xA700
    title = "Too large"


class NotAcceptable(RadiologyError):
    http_status = 406
    title = "None of the accepted media types can be sent"


class NotSupported(RadiologyError):
    http_status = 415
    dimse_status = 0x0122
    title = "Not supported"


class Unprocessable(RadiologyError):
    http_status = 422
    dimse_status = 0xC101
    title = "A value cannot be right"


class AttributesRefused(Unprocessable):
    """`tags` are the attributes; the status says what is wrong: 0120 missing, 0121 empty, 0106 not allowed (PS3.7)."""

    dimse_status = 0x0106
    title = "Attributes are missing, empty or wrong"

    def __init__(self, sentence: str, *, tags: Sequence[str], dimse_status: int = 0x0106) -> None:
        super().__init__(sentence, dimse_status=dimse_status)
        self.tags = tuple(tags)


class OrderBlocked(Unprocessable):
    """`answer`: what the rules say, and who may override them."""

    title = "A rule of safety blocks the order"

    def __init__(self, sentence: str, *, answer: Mapping[str, Any]) -> None:
        super().__init__(sentence)
        self.answer = answer

    @property
    def also(self) -> Mapping[str, Any]:
        return {"check": self.answer}


class PeerFailed(RadiologyError):
    http_status = 502
    dimse_status = 0xA702
    title = "Another system did not do what it was asked"


class Unavailable(RadiologyError):
    http_status = 503
    dimse_status = 0xA700
    title = "Not available now"

"""The life of a charge, and who pays for it. Pure.

A charge is that of one requested procedure. It is planned when the procedure is ordered, captured when the study is
completed, with images or with a reason why there are none, and credited when it is cancelled or entered in error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from radiology.billing.money import NOTHING, to_paisa
from radiology.errors import StaleVersion
from radiology.kit.bilingual import Sentence
from radiology.kit.steps import follow
from radiology.orders.model import Status as OrderStatus
from radiology.studies.model import Status as StudyStatus


class State(StrEnum):
    """How far a charge is."""

    PLANNED = "planned"
    CAPTURED = "captured"
    CREDITED = "credited"


class Verb(StrEnum):
    """What moves a charge."""

    CAPTURE = "capture"
    CREDIT = "credit"
    REINSTATE = "reinstate"


TRANSITIONS: Mapping[tuple[State, Verb], State] = {
    (State.PLANNED, Verb.CAPTURE): State.CAPTURED,
    (State.PLANNED, Verb.CREDIT): State.CREDITED,
    (State.CAPTURED, Verb.CREDIT): State.CREDITED,
    (State.CREDITED, Verb.REINSTATE): State.PLANNED,
    (State.CREDITED, Verb.CAPTURE): State.CAPTURED,
}
"""All steps there are. A credited charge is captured where its study is restored."""

_VERBS: Mapping[State, Verb] = {
    State.PLANNED: Verb.REINSTATE,
    State.CAPTURED: Verb.CAPTURE,
    State.CREDITED: Verb.CREDIT,
}
_GIVEN_UP = frozenset({OrderStatus.REVOKED, OrderStatus.ENTERED_IN_ERROR})
_NOT_DONE = frozenset({StudyStatus.CANCELLED, StudyStatus.ENTERED_IN_ERROR})

#: A sensitive examination is called so wherever money is spoken of; what it was is known by its code inside.
GENERIC = Sentence("Imaging examination", "ইমেজিং পরীক্ষা")


class Waived(StrEnum):
    """Why nothing is asked for a charge."""

    NO = ""
    EXEMPTED = "exempted"
    REPEAT = "repeat"
    """The examination repeats one whose images were rejected for quality."""


def step(state: State, verb: Verb) -> State:
    """Where a verb leads. Raises TransitionRefused."""
    return follow(TRANSITIONS, state, verb, of="A charge")


def verb_towards(state: State) -> Verb:
    """The verb that leads to a state."""
    return _VERBS[state]


def wanted(before: State | None, *, order: str, study: str | None, removed: bool) -> State | None:
    """The state that a charge should have, by what its order and its study say; None where there is to be none.

    What was captured stays so while a study is open again for more images: it was done.
    """
    if order == OrderStatus.DRAFT and before is None:
        return None
    if removed or order in _GIVEN_UP or study in _NOT_DONE:
        return None if before is None else State.CREDITED
    if study == StudyStatus.COMPLETED:
        return State.CAPTURED
    return State.CAPTURED if before == State.CAPTURED else State.PLANNED


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A charge as it stands; amounts in BDT.

    position: of its procedure in the order. procedure_key: of the catalogue, empty where it knows none. priced_on: the
    day whose prices hold, that of the order.
    list_price: None where nobody has said what it costs. own_price: said by a person for this charge alone.
    discount: by package, concession and scheme. scheme_share: what the scheme pays. patient_share: what the patient
    pays; paid: what receipts have taken for it. repeats: the charge of the examination that this one repeats.
    """

    id: UUID
    order_id: UUID
    procedure_id: UUID
    position: int
    facility_code: str
    study_id: UUID | None
    state: str
    version: int
    procedure_key: str
    modality: str
    item: str
    item_bangla: str
    sensitive: bool
    priced_on: date
    captured_at: datetime | None = None
    list_price: Decimal | None = None
    own_price: Decimal | None = None
    package: str = ""
    discount: Decimal = NOTHING
    vat: Decimal = NOTHING
    scheme_share: Decimal = NOTHING
    patient_share: Decimal = NOTHING
    waived: str = Waived.NO
    waived_reason: str = ""
    repeats: UUID | None = None
    paid: Decimal = NOTHING

    @property
    def owed(self) -> Decimal:
        """What the patient is to pay for it in all: nothing for what was credited."""
        return NOTHING if self.state == State.CREDITED else self.patient_share

    @property
    def balance(self) -> Decimal:
        """What is still to be paid; less than nothing where money is to be given back."""
        return to_paisa(self.owed - self.paid)

    @property
    def text(self) -> Sentence:
        """What it is called on paper and in lists."""
        return GENERIC if self.sensitive else Sentence(self.item, self.item_bangla or self.item)

    def must_have_version(self, version: int | None) -> None:
        """Raises StaleVersion where somebody else changed it first."""
        if version is not None and version != self.version:
            raise StaleVersion(f"The charge has version {self.version} by now. Read it again and decide anew.")


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays for an order, beside the patient: codes of a concession and of a scheme, empty for none."""

    concession: str = ""
    scheme: str = ""
    member_number: str = ""
    version: int = 0

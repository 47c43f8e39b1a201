"""Orders for tests, with good defaults: say only what the test is about."""

from itertools import count
from typing import Any

from radiology.access.model import Actor, application_entity
from radiology.orders.schemas import EXAMPLE, OrderIn

PATH = "/api/radiology/orders"

_numbers = count(1)


def an_order(**changes: Any) -> dict[str, Any]:
    """The body of an order for a CT head; a placer number of its own, unless one is given. None leaves a field out."""
    body = {**EXAMPLE, "placerNumber": f"OP-{next(_numbers)}", **changes}
    return {name: value for name, value in body.items() if value is not None}


def a_procedure(modality: str = "CT", text: str = "CT head", **changes: Any) -> dict[str, Any]:
    """One requested procedure."""
    return {"modality": modality, "code": {"text": text}, **changes}


def a_patient(number: int | str = 1001, **changes: Any) -> dict[str, Any]:
    """The patient of an order."""
    return {"id": f"DMC-{number}", "name": "Karim^Abdul", "birthDate": "1980-01-15", "sex": "M", **changes}


def said(**changes: Any) -> OrderIn:
    """The same as the value that actions take."""
    return OrderIn.model_validate(an_order(**changes))


def placer(facility_code: str = "LOCAL") -> Actor:
    """A program that places orders for a facility."""
    return application_entity("HIS", facility_code=facility_code, may_read=True, may_write=True)

"""Facilities, devices and operators for tests, through the doors; the clock stands at 21 January 2026 in Dhaka."""

from typing import Any

import httpx2

FACILITIES = "/api/radiology/facilities"
DEVICES = "/api/radiology/devices"
OPERATORS = "/api/radiology/operators"
SHEETS = "/api/radiology/facilities/sheets"


async def a_facility(administrator: httpx2.AsyncClient, code: str = "LOCAL", **changes: Any) -> dict[str, Any]:
    """A facility in Savar."""
    body = {"name": f"Hospital {code}", "ownership": "public", "division": "30", "district": "3026", **changes}
    answer = await administrator.put(f"{FACILITIES}/{code}", json=body)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


async def a_device(administrator: httpx2.AsyncClient, name: str = "CT 1", **changes: Any) -> dict[str, Any]:
    """A device with a licence until the end of 2026."""
    body = {"facilityCode": "LOCAL", "name": name, "modality": "CT", "licenceUntil": "2026-12-31", **changes}
    answer = await administrator.post(DEVICES, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def an_operator(administrator: httpx2.AsyncClient, licence: str = "RT-1", **changes: Any) -> dict[str, Any]:
    """An operator with a licence until the end of 2026."""
    body = {
        "facilityCode": "LOCAL", "name": "Rokeya Sultana", "sex": "F", "modalities": ["CT", "DX"],
        "licenceNumber": licence, "licenceUntil": "2026-12-31", **changes,
    }  # fmt: skip
    answer = await administrator.post(OPERATORS, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()

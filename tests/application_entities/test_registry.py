"""The registry of application entities at both doors: REST, and who may associate."""

from typing import Any

import pytest

from node import free_port
from radiology.application_entities.addresses import is_among

pytestmark = pytest.mark.anyio
ADDRESS = "/api/radiology/application-entities"


async def test_a_refused_record_names_its_fields(client_as: Any) -> None:
    administrator = await client_as("administrator")
    refused = await administrator.put(f"{ADDRESS}/CT1", json={"hosts": ["10.0.0.0/99"], "moveDestination": True})
    assert refused.status_code == 422
    assert "hosts" in refused.text
    assert "moveDestination" in refused.text


async def test_an_echo_to_nobody_says_so(client_as: Any) -> None:
    administrator = await client_as("administrator")
    await administrator.put(f"{ADDRESS}/CT1", json={"host": "127.0.0.1", "port": free_port()})
    answer = (await administrator.post(f"{ADDRESS}/CT1/echo")).json()
    assert answer["answered"] is False
    assert "does not answer" in answer["sentence"]
    assert (await administrator.post(f"{ADDRESS}/CT9/echo")).status_code == 404


async def test_addresses_networks_and_names() -> None:
    assert is_among(["10.1.0.0/16"], "10.1.2.3")
    assert is_among(["10.1.2.3"], "::ffff:10.1.2.3")
    assert is_among(["localhost"], "127.0.0.1")
    assert not is_among(["10.1.0.0/16", "fe80::/10"], "10.2.0.1")

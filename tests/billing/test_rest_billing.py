"""Money over REST: estimates, who pays, exemptions, receipts on paper, days, and who may."""

from decimal import Decimal
from typing import Any

import httpx2
import pytest

from billing.billed import PATH, completed, follow, moved
from conftest import ClientAs
from ordering import a_procedure
from radiology.app import App
from radiology.orders.model import Order
from radiology.orders.model import Status as OrderStatus
from reading import order_of

pytestmark = pytest.mark.anyio
REASON = {"reason": "A letter was shown."}


async def account(client: httpx2.AsyncClient, order: Order) -> dict[str, Any]:
    answer = await client.get(f"{PATH}/orders/{order.id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_estimate_before_anything_is_ordered(client_as: ClientAs) -> None:
    clerk = await client_as("referrer")
    asked = {"procedures": [{"procedure": "CT_HEAD_WO"}, {"text": "Chest X-ray", "modality": "DX"}]}
    answer = await clerk.post(f"{PATH}/estimate", json={**asked, "concession": "staff"})
    body = answer.json()
    assert answer.status_code == 200, body
    assert [item["patientShare"] for item in body["items"]] == ["1125.00", "150.00"]
    assert (body["price"], body["discount"], body["patientShare"]) == ("2550.00", "1275.00", "1275.00")
    assert body["items"][0]["item"]["bn"] == "মাথার সিটি স্ক্যান"
    for wrong in ({"procedures": [{"text": "Nothing of the kind"}]}, {**asked, "concession": "king"}):
        assert (await clerk.post(f"{PATH}/estimate", json=wrong)).status_code == 422


async def test_schemes_and_packages_are_data_with_a_first_day(app: App, client_as: ClientAs) -> None:
    chief, cashier = await client_as("administrator"), await client_as("cashier")
    scheme = {"name": "Insurance", "copayment_percent": "20", "ceiling_bdt": "1500.00", **REASON}
    assert (await cashier.put(f"{PATH}/rules/scheme/insurance", json=scheme)).status_code == 403
    said = await chief.put(f"{PATH}/rules/scheme/insurance", json=scheme)
    assert (said.status_code, said.json()["version"]) == (200, 1)
    asked = {"procedures": [{"procedure": "CT_HEAD_WO"}], "scheme": "insurance"}
    body = (await cashier.post(f"{PATH}/estimate", json=asked)).json()
    assert (body["schemeShare"], body["patientShare"]) == ("1500.00", "750.00")
    later = {**scheme, "active": False, "effective_from": "2026-02-01"}
    assert (await chief.put(f"{PATH}/rules/scheme/insurance", json=later)).json()["version"] == 2
    assert (await cashier.post(f"{PATH}/estimate", json=asked)).status_code == 200
    assert (await cashier.post(f"{PATH}/estimate", json={**asked, "on": "2026-02-01"})).status_code == 422
    for wrong in (
        {**scheme, "percent": "5"}, {**scheme, "ceiling_bdt": 1500}, {**scheme, "procedures": ["NO_SUCH"]},
        {**scheme, "effective_from": "2026-01-01"},
    ):  # fmt: skip
        assert (await chief.put(f"{PATH}/rules/scheme/insurance", json=wrong)).status_code == 422, wrong


async def test_who_pays_what_is_due_and_a_receipt_in_whole_taka(app: App, client_as: ClientAs) -> None:
    cashier = await client_as("cashier")
    order = await completed(app, procedures=[a_procedure(), a_procedure("DX", "Chest X-ray")])
    assert (await cashier.get(f"{PATH}/orders/{order.id}")).status_code == 404
    await follow(app)
    payer = {"concession": "staff", **REASON}
    answer = await cashier.put(f"{PATH}/orders/{order.id}/payer", json=payer)
    assert answer.json()["balance"] == "1275.00"
    chest = answer.json()["charges"][1]
    await cashier.put(f"{PATH}/charges/{chest['id']}/price", json={"price": "125.00", **REASON})
    assert (await cashier.put(f"{PATH}/orders/{order.id}/payer", json={**payer, "version": 7})).status_code == 412
    wrong = await cashier.post(f"{PATH}/orders/{order.id}/receipts", json={"total": "1.00"})
    assert wrong.status_code == 422
    receipt = (await cashier.post(f"{PATH}/orders/{order.id}/receipts", json={"total": "1188.00"})).json()
    assert (receipt["exact"], receipt["rounding"], receipt["total"]) == ("1187.50", "0.50", "1188.00")
    assert receipt["number"] == "LOCAL-2026-000001"
    assert sum(Decimal(item["amount"]) for item in receipt["items"]) == Decimal(receipt["exact"])
    assert (await cashier.post(f"{PATH}/orders/{order.id}/receipts", json={})).status_code == 409
    found = await account(cashier, order)
    assert (found["balance"], found["patient"]["id"]) == ("0.00", "DMC-1001")
    assert found["receipts"] == [receipt]


async def test_what_was_paid_is_given_back_when_it_is_cancelled(app: App, client_as: ClientAs) -> None:
    cashier, order = await client_as("cashier"), await order_of(app)
    await follow(app)
    await cashier.post(f"{PATH}/orders/{order.id}/receipts", json={"method": "mobile"})
    await moved(app, order, OrderStatus.REVOKED)
    await follow(app)
    assert (await account(cashier, order))["balance"] == "-2250.00"
    refund = (await cashier.post(f"{PATH}/orders/{order.id}/receipts", json={})).json()
    assert (refund["kind"], refund["total"]) == ("refund", "-2250.00")
    assert (await account(cashier, order))["balance"] == "0.00"
    day = (await cashier.get(f"{PATH}/days/2026-01-21")).json()
    assert (day["total"], day["byMethod"]["mobile"], day["byMethod"]["cash"]) == ("0.00", "2250.00", "-2250.00")
    sheet = (await cashier.get(f"{PATH}/days/2026-01-21/sheet")).text
    assert [line.split(",")[0] for line in sheet.splitlines()[1:]] == ["payment", "refund"]


async def test_a_person_exempts_with_a_reason_and_says_a_missing_price(app: App, client_as: ClientAs) -> None:
    cashier, reader = await client_as("cashier"), await client_as("radiologist")
    order = await order_of(app, procedures=[a_procedure(text="Something of our own")])
    await follow(app)
    charge = (await account(cashier, order))["charges"][0]
    assert (await cashier.post(f"{PATH}/orders/{order.id}/receipts", json={})).status_code == 409
    address = f"{PATH}/charges/{charge['id']}"
    priced = await cashier.put(f"{address}/price", json={"price": "99.99", **REASON})
    assert priced.json()["balance"] == "99.99"
    assert (await reader.put(f"{address}/exemption", json=REASON)).status_code == 403
    assert (await cashier.put(f"{address}/exemption", json={"reason": ""})).status_code == 422
    exempted = (await cashier.put(f"{address}/exemption", json=REASON)).json()
    assert (exempted["waived"], exempted["balance"]) == ("exempted", "0.00")
    ended = (await cashier.post(f"{address}/exemption/end", json=REASON)).json()
    assert (ended["waived"], ended["balance"]) == (None, "99.99")
    history = (await cashier.get(f"{address}/history")).json()["results"]
    assert [each["verb"] for each in history] == ["plan", "price", "exempt", "end-exemption"]
    assert (history[2]["actor"], history[2]["reason"]) == ("account:cashier", REASON["reason"])
    async with app.db.transaction() as tx:
        said = "SELECT count(*) FROM audit_arrivals WHERE action = 'billing.exempt' AND actor = 'account:cashier'"
        assert await tx.value(said) == 1


async def test_a_sensitive_examination_is_named_by_nothing(app: App, client_as: ClientAs) -> None:
    cashier = await client_as("cashier")
    order = await order_of(app, procedures=[a_procedure("MG", "Diagnostic mammogram")])
    await follow(app)
    async with app.db.transaction() as tx:
        await tx.run("UPDATE imaging_studies SET sensitive_classes = '{S1}'")
    charge = (await account(cashier, order))["charges"][0]
    assert (charge["item"]["en"], charge["procedure"], charge["modality"]) == ("Imaging examination", None, "XX")
    receipt = await cashier.post(f"{PATH}/orders/{order.id}/receipts", json={})
    printed = await cashier.get(f"{receipt.headers['location']}/print")
    told = receipt.text + printed.text + (await cashier.get(f"{PATH}/days/2026-01-21/sheet")).text
    assert "mammogra" not in told.lower()


async def test_a_receipt_on_paper_in_both_languages_and_kinds_of_digits(app: App, client_as: ClientAs) -> None:
    cashier = await client_as("cashier")
    order = await completed(app)
    await follow(app)
    charge = (await account(cashier, order))["charges"][0]
    await cashier.put(f"{PATH}/charges/{charge['id']}/price", json={"price": "150000.00", **REASON})
    place = (await cashier.post(f"{PATH}/orders/{order.id}/receipts", json={})).headers["location"]
    latin, bangla = await cashier.get(f"{place}/print"), await cashier.get(f"{place}/print?digits=bangla")
    assert "৳1,50,000.00" in latin.text
    assert "৳১,৫০,০০০.০০" in bangla.text
    assert "Receipt" in latin.text
    assert "রসিদ" in latin.text
    assert "default-src 'none'" in latin.headers["content-security-policy"]


async def test_only_who_takes_money_sees_charges(app: App, client_as: ClientAs) -> None:
    order = await completed(app)
    await follow(app)
    for role in ("radiologist", "radiographer", "patient", "qa"):
        client = await client_as(role)
        for path in ("charges", f"orders/{order.id}", "days/2026-01-21"):
            assert (await client.get(f"{PATH}/{path}")).status_code == 403, (role, path)
    manager = await client_as("manager")
    listed = (await manager.get(f"{PATH}/charges", params={"open": True, "state": "captured"})).json()
    assert [each["orderId"] for each in listed["results"]] == [str(order.id)]


async def test_only_a_private_facility_holds_reports(app: App, client_as: ClientAs) -> None:
    chief = await client_as("administrator")
    async with app.db.transaction() as tx:
        for code, kind in (("PUB", "public"), ("PRV", "private")):
            await tx.run(
                "INSERT INTO facilities (code, name, ownership) VALUES (%(code)s, %(code)s, %(kind)s)",
                code=code, kind=kind,
            )  # fmt: skip
    assert (await chief.put(f"{PATH}/facilities/PUB/hold", json={"hold": True, **REASON})).status_code == 422
    assert (await chief.put(f"{PATH}/facilities/PRV/hold", json={"hold": True, **REASON})).status_code == 200
    assert (await chief.put(f"{PATH}/facilities/NONE/hold", json={"hold": True, **REASON})).status_code == 404

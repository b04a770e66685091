"""Vendors fail in every way; nothing is bought twice, and a person reads what happened."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from marketplace.vendors.errors import (
    SignInRefused,
    VendorAnswerUnreadable,
    VendorBusy,
    VendorRefused,
    VendorUnavailable,
)
from marketplace.vendors.partner_center.client import Client, read_json
from marketplace.vendors.partner_center.connector import PartnerCenter
from marketplace.vendors.values import Change
from tests.vendors.simulated import Simulator, bought, buy, open_account, running_simulator


def test_a_busy_vendor_is_left_alone_as_long_as_it_says(
    simulator: Simulator, connector: PartnerCenter
) -> None:
    simulator.disturb("429", seconds=7)

    assert connector.health().is_well
    assert simulator.pauses == [7]


def test_a_vendor_that_wants_long_to_be_left_alone_is_asked_again_by_the_job(
    simulator: Simulator, connector: PartnerCenter
) -> None:
    account = open_account(connector).account
    simulator.disturb("429", seconds=300)

    with pytest.raises(VendorBusy) as caught:
        connector.subscriptions(account)

    assert caught.value.retry_after == timedelta(seconds=300)
    assert simulator.pauses == []


def test_a_failing_vendor_is_tried_again_with_growing_pauses(
    simulator: Simulator, connector: PartnerCenter
) -> None:
    simulator.disturb("503", times=2)

    assert connector.health().is_well
    first, second = simulator.pauses
    assert 0.25 <= first <= 0.75
    assert 0.5 <= second <= 1.5


def test_a_vendor_that_stays_down_is_unavailable_and_not_a_refusal(
    simulator: Simulator, connector: PartnerCenter
) -> None:
    account = open_account(connector).account
    simulator.disturb("503", times=3)

    with pytest.raises(VendorUnavailable, match="HTTP 503"):
        connector.subscriptions(account)


def test_a_token_that_ended_is_fetched_anew(simulator: Simulator, connector: PartnerCenter) -> None:
    account = open_account(connector).account
    simulator.disturb("401")

    assert connector.subscriptions(account) == []


def test_credentials_that_are_refused_are_said_to_be(simulator: Simulator, connector: PartnerCenter) -> None:
    with closing(Client(replace(connector._client.account, client_secret=""))) as client:
        health = PartnerCenter(client).health()

    assert not health.is_well
    assert "MARKETPLACE_MICROSOFT_CLIENT_SECRET" in health.words
    with (
        closing(Client(replace(connector._client.account, client_id=""))) as client,
        pytest.raises(SignInRefused),
    ):
        PartnerCenter(client).products(country="FR")


@pytest.mark.parametrize("path", ["/carts", "/checkout"])
def test_an_order_whose_answer_was_lost_is_found_and_not_placed_again(
    simulator: Simulator, connector: PartnerCenter, path: str
) -> None:
    account = open_account(connector).account
    simulator.disturb("lost", path=path, method="POST")

    (order,) = buy(connector, account)

    assert len(connector.subscriptions(account)) == 1
    assert simulator.overview()["orders"] == 1
    assert connector.order_state(account, order.reference).lines == order.lines


def test_an_order_is_found_by_another_process_with_the_same_key(
    simulator: Simulator, connector: PartnerCenter
) -> None:
    """As after the worker was killed between the vendor's doing and its hearing of it."""
    account, key = open_account(connector).account, uuid4()
    simulator.disturb("lost", path="/checkout", times=3)
    with pytest.raises(VendorUnavailable):
        buy(connector, account, key=key)

    with closing(simulator.connector()) as successor:
        buy(successor, account, key=key)

    assert simulator.overview()["orders"] == 1


def test_a_cart_that_was_ordered_by_another_request_is_found_by_its_lines(
    simulator: Simulator, connector: PartnerCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the vendor has forgotten the request's id, and says 800065 instead of answering again."""
    account, key = open_account(connector).account, uuid4()
    (order,) = buy(connector, account, key=key)
    send = connector._client.send

    def forgotten(method: str, path: str, body: object, **more: object) -> object:
        return send(method, path, body, **{**more, "key": uuid4()} if path.endswith("/checkout") else more)  # type: ignore[arg-type]

    monkeypatch.setattr(connector._client, "send", forgotten)

    assert buy(connector, account, key=key) == [order]
    assert simulator.overview()["orders"] == 1


def test_a_change_whose_answer_was_lost_is_made_once(simulator: Simulator, connector: PartnerCenter) -> None:
    account = open_account(connector).account
    one = bought(connector, account)
    simulator.disturb("lost", method="PATCH", times=3)
    key = uuid4()
    with pytest.raises(VendorUnavailable):
        connector.change(account, one.reference, Change(quantity=12), key=key)

    changed = connector.change(account, one.reference, Change(quantity=12), key=key)

    assert changed.quantity == 12
    simulator.at("2025-04-06T00:00:00Z")
    lines = [str(line["chargeType"]) for line in connector.bill_lines("G000202503")]
    assert lines == ["new", "addQuantity", "addQuantity"]


def test_a_slow_vendor_is_waited_for_so_long_and_no_longer(
    simulator: Simulator, connector: PartnerCenter
) -> None:
    account = open_account(connector).account
    simulator.disturb("slow", seconds=1, times=3)
    connector._client._http.timeout = httpx.Timeout(0.05)

    with pytest.raises(VendorUnavailable, match="did not answer in time"):
        connector.subscriptions(account)


def test_a_vendor_that_is_not_there_is_said_to_be(simulator: Simulator) -> None:
    with running_simulator() as gone:
        connector = gone.connector()
    with closing(connector):
        health = connector.health()

    assert not health.is_well
    assert "cannot be reached: no connection" in health.words


def test_an_answer_that_is_no_json_is_no_answer(
    connector: PartnerCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hotel(*_: object, **__: object) -> httpx.Response:
        return httpx.Response(200, text="<html>Welcome to the hotel's network</html>")

    connector.health()
    monkeypatch.setattr(connector._client._http, "request", hotel)

    with pytest.raises(VendorAnswerUnreadable):
        connector.products(country="FR")


def test_the_vendors_words_and_the_remedy_are_both_kept(
    simulator: Simulator, connector: PartnerCenter
) -> None:
    account = open_account(connector).account
    simulator.disturb("refuse", path="/carts", code="800025", words="The credit limit is exceeded.")

    with pytest.raises(VendorRefused) as caught:
        buy(connector, account)

    assert caught.value.words == "The credit limit is exceeded."
    assert str(caught.value).startswith(
        "Microsoft refused: The credit limit is exceeded. (800025) The wholesaler's"
    )


def test_secrets_are_shown_nowhere(connector: PartnerCenter) -> None:
    assert "secret" not in repr(connector._client.account).replace("client_secret", "")


def test_numbers_keep_all_their_digits() -> None:
    assert str(read_json(b'{"a": 0.1000000000000000055511151231257827}')["a"]) == (
        "0.1000000000000000055511151231257827"
    )


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    with running_simulator(tmp_path) as before, closing(before.connector()) as connector:
        before.at("2025-03-10T09:00:00Z")
        account, key = open_account(connector).account, uuid4()
        buy(connector, account, key=key)

    with running_simulator(tmp_path) as after, closing(after.connector()) as connector:
        buy(connector, account, key=key)

        assert after.overview()["now"].startswith("2025-03-10T09:00:00")
        assert len(connector.subscriptions(account)) == 1


def test_customers_that_were_there_before_may_order(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text(
        "account,name,domain,country\n5B1D7A10-33c4-4f2e-8a55-000000000001,Carnac,carnac.onmicrosoft.com,FR\n"
    )

    for _start in range(2):
        with running_simulator(tmp_path) as simulator, closing(simulator.connector()) as connector:
            one = bought(connector, "5b1d7a10-33c4-4f2e-8a55-000000000001")

    assert one.quantity == 10

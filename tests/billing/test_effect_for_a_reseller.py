"""What a reseller's own price would do: found from what its customers used alone, and the same as if all were rated."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from marketplace.billing import previews
from marketplace.billing.closing import workshop
from marketplace.billing.effects import Effect
from marketplace.billing.previews import Asked, find
from marketplace.billing.rated_period import rate_period
from marketplace.billing.trials import Change
from marketplace.core.clock import utc_now
from marketplace.core.db import Database
from marketplace.core.money import Money
from marketplace.settings import Settings
from resellers.models import Basis, CustomerMove, Hop
from tests.billing.conftest import Close
from tests.billing.lake import Usage, deliver
from tests.factories import (
    make_customer,
    make_mapping,
    make_rule,
    make_subscription_move,
)
from tests.personas import actor_called, customer_called, make_personas, reseller_called

DAYS = [date(2024, 9, day) for day in (9, 10, 11)]
TENTH = DAYS[1]
PRICE = Change(kind="add_price", facts={"hop": "retail", "basis": "cost", "percent": "50"})

Finding = Callable[..., tuple[dict[str, Any], list[int]]]


@pytest.fixture
def trade(database: Database, lake: Path) -> None:
    """Two resellers whose customers, accounts and subscriptions went from one to the other on the tenth."""
    with database.owner_transaction() as session:
        make_personas(session)
        nord, sud = reseller_called(session, "nord"), reseller_called(session, "sud")
        carla, stella = customer_called(session, "carla-works"), customer_called(session, "stella-mills")
        leaving = make_customer(session, "leaving", reseller=nord)
        session.add(
            CustomerMove(
                customer_id=leaving.id,
                from_reseller_id=nord.id,
                to_reseller_id=sud.id,
                moves_on=TENTH,
                reason="They asked us",
                created_by="Wanda",
            )
        )
        make_mapping(session, customer=carla, account="carla", vendor="cloud")
        make_mapping(session, customer=stella, account="stella", vendor="cloud")
        make_mapping(session, customer=leaving, account="leaving", vendor="cloud")
        make_mapping(session, customer=carla, account="shared", vendor="cloud", valid_until=TENTH)
        make_mapping(session, customer=stella, account="shared", vendor="cloud", valid_from=TENTH)
        make_subscription_move(session, customer=carla, vendor="cloud", subscription="comes", moves_on=TENTH)
        make_subscription_move(session, customer=stella, vendor="cloud", subscription="goes", moves_on=TENTH)
        make_rule(session, Hop.WHOLESALE, reseller=nord, basis=Basis.COST, percent="10")
        make_rule(session, Hop.WHOLESALE, reseller=sud, basis=Basis.COST, percent="20")
        used = [("carla", ""), ("carla", "goes"), ("stella", ""), ("stella", "comes")]
        used += [("leaving", ""), ("shared", ""), ("nobody", "")]
        deliver(
            session,
            lake,
            [
                Usage(cost=str(10**number), day=day, account=account, subscription=subscription)
                for number, (account, subscription) in enumerate(used)
                for day in DAYS
            ],
        )


@pytest.fixture
def finds(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Finding:
    """Find what the price would do, restricted or not; give it with the rows each rating read."""

    def found(
        name: str, change: Change = PRICE, *, rates_all: bool = False
    ) -> tuple[dict[str, Any], list[int]]:
        rows: list[int] = []

        @contextmanager
        def counted(*arguments: Any, reseller_id: int | None, **others: Any) -> Iterator[Any]:
            only = None if rates_all else reseller_id
            with rate_period(*arguments, reseller_id=only, **others) as (rated, parts):
                rows.append(rated.rows)
                yield rated, parts

        monkeypatch.setattr(previews, "rate_period", counted)
        asked = Asked(actor=actor_called(database, name), change=change, link="/")
        quiet = previews._Quiet()
        answer = find(
            database, asked, workshop=workshop(settings), progress=lambda _number, _of: quiet, now=utc_now()
        )
        return answer.data, rows

    return found


@pytest.mark.usefixtures("trade")
@pytest.mark.parametrize("is_drafted", [False, True])
@pytest.mark.parametrize("name", ["rashid", "pavel"])
def test_an_effect_found_from_a_reseller_s_own_usage_is_that_found_from_everybody_s(
    close: Close, finds: Finding, name: str, *, is_drafted: bool
) -> None:
    if is_drafted:
        close()

    own, own_rows = finds(name)
    whole, all_rows = finds(name, rates_all=True)

    assert own == whole
    assert own["document_count"] == 2
    ratings = 1 if is_drafted else 2
    assert (own_rows, all_rows) == ([15] * ratings, [21] * ratings)


@pytest.mark.usefixtures("trade")
def test_what_went_to_another_reseller_is_none_of_the_effect(finds: Finding) -> None:
    found = Effect.from_data(finds("rashid")[0])

    # Carla's own three days, one of what goes, two of what comes, one of the shared account; one of the customer that
    # leaves. Each at its cost to the reseller and half of that.
    carla, leaving = 3 + 10 + 2 * 1_000 + 100_000, 10_000
    befores = {one.before for one in found.documents}
    assert befores == {Money(carla * 110, "EUR"), Money(leaving * 110, "EUR")}
    assert found.differences == [("retail", Money((carla + leaving) * 55, "EUR"))]


@pytest.mark.usefixtures("trade")
def test_the_wholesaler_s_question_is_about_everybody(finds: Finding) -> None:
    header = "hop,reseller,customer,subscription,vendor,product,sku,basis,percent,unit_price,currency,valid_from,valid_until"
    lines = [f"wholesale,{reseller},,,cloud,,,cost,5,,,,\n" for reseller in ("nord", "sud")]
    content = f"{header}\n{''.join(lines)}".encode()

    found, rows = finds("walter", Change(kind="rules", facts={"file": "rules.csv"}, content=content))

    assert rows == [21, 21]
    assert found["customer_count"] == 3

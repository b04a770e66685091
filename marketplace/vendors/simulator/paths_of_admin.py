"""The simulator's own paths, for people and tests: its clock, what is to go wrong, and changes behind our back."""

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response

from marketplace.core.clock import utc_now
from marketplace.core.period import Period
from marketplace.vendors.simulator import bills, changing, disturbing, life, shown
from marketplace.vendors.simulator.answers import answer
from marketplace.vendors.simulator.desk import time_of
from marketplace.vendors.simulator.documents import BillError, Customer, Disturbance, Order, Subscription
from marketplace.vendors.simulator.firms import connect
from marketplace.vendors.simulator.paths_of_vendor import desk, sent
from marketplace.vendors.simulator.refusals import Refused, not_found

blueprint = Blueprint("simulator", __name__, url_prefix="/simulator")


@blueprint.get("")
def overview() -> Response:
    """Show what time it is, what there is, and what is to go wrong."""
    store = desk().store
    return answer(
        {
            "now": shown.moment(desk().now),
            "is_stopped": desk().world.stopped_at is not None,
            "provisioning_seconds": desk().world.provisioning_seconds,
            "products": len(desk().catalogue.skus),
            "customers": len(store.all(Customer)),
            "orders": len(store.all(Order)),
            "subscriptions": len(store.all(Subscription)),
            "disturbances": [one.model_dump() for one in store.all(Disturbance)],
            "bill_errors": [one.model_dump() for one in store.all(BillError)],
        }
    )


@blueprint.post("/clock")
def clock() -> Response:
    """Stop time at an instant (`at`), move it on (`days`, `seconds`), or let it run like ours (`runs`)."""
    body, world = sent(), desk().world
    if body.get("runs"):
        world.stopped_at, world.ahead_seconds = None, 0
    elif "at" in body:
        at = datetime.fromisoformat(str(body["at"]))
        world.stopped_at = at if at.tzinfo else at.replace(tzinfo=UTC)
    else:
        on = timedelta(days=int(body.get("days", 0)), seconds=int(body.get("seconds", 0)))
        if world.stopped_at is not None:
            world.stopped_at += on
        else:
            world.ahead_seconds += int(on.total_seconds())
    desk().store.put(world)
    desk().now = time_of(world, utc_now())
    life.let_pass(desk())
    return answer({"now": shown.moment(desk().now)})


@blueprint.post("/resellers")
def connect_reseller() -> Response:
    """Make a partner id (`partner_id`) a reseller of the wholesaler's, or none any more (`is_active`)."""
    partner_id = str(sent().get("partner_id", ""))
    if not partner_id.isdigit():
        raise Refused("400", "partner_id is a number.")
    return answer(shown.reseller(connect(desk(), partner_id, is_active=sent().get("is_active", True))))


@blueprint.post("/provisioning")
def provisioning() -> Response:
    """Set how many seconds it takes until what was ordered is there."""
    desk().world.provisioning_seconds = int(sent()["seconds"])
    desk().store.put(desk().world)
    return answer({"seconds": desk().world.provisioning_seconds})


@blueprint.post("/disturbances")
def disturb() -> Response:
    """Have something go wrong with the next requests."""
    body = sent()
    if body.get("kind") not in disturbing.KINDS:
        raise Refused("400", f"kind is one of {', '.join(disturbing.KINDS)}.")
    one = Disturbance.model_validate({**body, "id": desk().new_id("disturbance")})
    desk().store.put(one)
    return answer(one.model_dump(), 201)


@blueprint.delete("/disturbances")
def calm_down() -> Response:
    """Have nothing go wrong any more."""
    for one in desk().store.all(Disturbance):
        desk().store.forget(one)
    return answer({})


@blueprint.post("/subscriptions/<name>")
def change_outside(name: str) -> Response:
    """Change a subscription as somebody in the vendor's own portal would."""
    one = desk().store.find(Subscription, name.casefold())
    if one is None:
        raise not_found("Subscription", name)
    changing.change(desk(), one, sent())
    return answer(shown.subscription(desk(), one))


@blueprint.post("/bill-errors")
def spoil_bill() -> Response:
    """Have a month's bill get something wrong."""
    body = sent()
    if body.get("kind") not in bills.BILL_ERRORS:
        raise Refused("400", f"kind is one of {', '.join(bills.BILL_ERRORS)}.")
    period = Period.parse(str(body["period"]))
    one = BillError(id=desk().new_id("bill error"), kind=str(body["kind"]), period=period.number)
    desk().store.put(one)
    return answer(one.model_dump(), 201)

"""The words of orders on pages."""

from marketplace.core.errors import N_
from marketplace.orders.words import OrderState

STATE_LABELS = {
    OrderState.QUOTED: N_("Quoted"),
    OrderState.SUBMITTED: N_("Ordered"),
    OrderState.AWAITING_APPROVAL: N_("Awaiting approval"),
    OrderState.SCHEDULED: N_("Scheduled"),
    OrderState.PROVISIONING: N_("At the vendor"),
    OrderState.COMPLETED: N_("Completed"),
    OrderState.REJECTED: N_("Rejected"),
    OrderState.FAILED: N_("Failed"),
    OrderState.CANCELLED: N_("Cancelled"),
}
EVENT_LABELS = {**STATE_LABELS, OrderState.DRAFT: N_("Put together again")}
KIND_LABELS = (("purchase", N_("Purchase")), ("change", N_("Modification")), ("cancel", N_("Cancellation")))

"""A buyer's month as FOCUS 1.2: its own prices as billed cost, nothing of its seller's."""

import tempfile
from typing import IO

from flask import abort, request, send_file
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.billing.exports import Wanted, write_statements
from marketplace.core.actor import Actor
from marketplace.core.period import Period
from resellers.models import Customer, Hop, Reseller

_IN_MEMORY = 4 * 1024 * 1024


def focus_file(session: Session, *, actor: Actor, hop: Hop) -> ResponseReturnValue:
    """Answer with all that the actor's party bought in the month `?period=` names."""
    period = Period.parse(request.args.get("period", ""))
    party = Reseller if hop is Hop.WHOLESALE else Customer
    buyer = session.scalar(select(party.reference).where(party.id == actor.party_id))
    if buyer is None:
        abort(404)
    wanted = Wanted(period=period, hop=hop, buyer=buyer, is_sellers_view=False)
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - send_file closes it
    write_statements(session, wanted, format_="focus", file=file)
    file.seek(0)
    return send_file(file, mimetype="text/csv", as_attachment=True, download_name=f"focus-{period}.csv")

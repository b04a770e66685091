"""How answers are written: JSON behind a byte-order mark, lists in pages with a continuation."""

import base64
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from flask import Response, request

from marketplace.vendors.simulator.refusals import Refused
from marketplace.vendors.simulator.shown import collection

_CONTINUATION = "MS-ContinuationToken"
_PAGE = 100
_MOST = 2000


def answer(body: Any, status: int = 200, **headers: str) -> Response:
    """Write an answer as the vendor does."""
    text = "\ufeff" + json.dumps(body, default=_written, ensure_ascii=False)
    return Response(text.encode(), status, headers, mimetype="application/json")


def page(items: Sequence[dict[str, Any]]) -> Response:
    """Write the part of a list that was asked for, and how to ask for the rest."""
    size = min(request.args.get("size", _PAGE, int), _MOST)
    start = 0
    token = request.headers.get(_CONTINUATION)
    if request.args.get("seekOperation") == "Next":
        if not token:
            raise Refused("400", f"The header {_CONTINUATION} is missing.")
        start = int(base64.b64decode(token))
    body = collection(items[start : start + size])
    if start + size < len(items):
        query = "&".join(f"{name}={value}" for name, value in request.args.items() if name != "seekOperation")
        place = f"{request.path.removeprefix('/v1')}?{query}&seekOperation=Next"
        following = base64.b64encode(str(start + size).encode()).decode()
        body["links"] = {
            "next": {"uri": place, "method": "GET", "headers": [{"key": _CONTINUATION, "value": following}]}
        }
    return answer(body)


def _written(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(type(value).__name__)

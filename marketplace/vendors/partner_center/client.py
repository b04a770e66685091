"""HTTP as Partner Center wants it: a token, ids of requests, etags, patience, and its errors in our words."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx
import structlog

from marketplace.vendors.errors import (
    AgreementMissing,
    SignInRefused,
    VendorAnswerUnreadable,
    VendorBusy,
    VendorRefused,
    VendorUnavailable,
)
from marketplace.vendors.partner_center.faults import LATER, UNAGREED, remedy_for

log = structlog.get_logger()

VENDOR = "Microsoft"
SCOPE = "https://api.partnercenter.microsoft.com/.default"
_LONGEST_PAUSE = 10.0
"""A vendor that wants to be left alone longer is left alone: the job comes back when it said."""
_FIRST_PAUSE = 0.5
_TOKEN_MARGIN_SECONDS = 60
_MOST_PAGES = 10_000

Json = Any


@dataclass(frozen=True)
class Account:
    """Where the vendor is and who we are there."""

    api: str
    graph: str
    sign_in: str
    tenant: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """What came back: the body read with exact numbers, and what else matters."""

    status: int
    body: Json
    etag: str = ""
    location: str = ""
    correlation: str = ""


@dataclass(frozen=True)
class Patience:
    """How long an answer is waited for, and how often it is asked for within one call.

    What fails longer is tried again by the job, minutes later and with the same key.
    """

    times: httpx.Timeout
    tries: int


PATIENT = Patience(httpx.Timeout(30.0, connect=5.0), 3)
#: Somebody waits for a page.
BRIEF = Patience(httpx.Timeout(3.0, connect=1.0), 1)


class Client:
    """A signed-in session with Partner Center. Not for several threads at once."""

    def __init__(
        self,
        account: Account,
        *,
        patience: Patience = PATIENT,
        pause: Callable[[float], None] = time.sleep,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect lazily. `pause` and `seconds` are the world's, unless a test brings its own."""
        self.account = account
        self._http = httpx.Client(timeout=patience.times, follow_redirects=False)
        self._tries, self._pause, self._seconds = patience.tries, pause, seconds
        self._token = ""
        self._token_ends = 0.0

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, **query: str | int) -> Answer:
        """Read something; safe to repeat."""
        return self._send("GET", path, query=query)

    def send(
        self,
        method: str,
        path: str,
        body: Json,
        *,
        key: UUID,
        etag: str = "",
        step: str = "",
        query: Mapping[str, str | int] | None = None,
    ) -> Answer:
        """Change something. The request id follows from the key and the step, so that repeating does it once."""
        request_id = uuid5(key, step or f"{method} {path}")
        return self._send(method, path, body=body, request_id=request_id, etag=etag, query=query or {})

    def pages(self, path: str, **query: str | int) -> Iterator[Json]:
        """Give all items of a collection, following the vendor's continuation from page to page."""
        answer = self.get(path, **query)
        for _ in range(_MOST_PAGES):
            yield from answer.body.get("items", ())
            link = answer.body.get("links", {}).get("next")
            if not link:
                return
            headers = {one["key"]: str(one["value"]) for one in link.get("headers", ())}
            # Links leave the version out.
            answer = self._send("GET", f"v1/{str(link['uri']).lstrip('/')}", headers=headers)
        raise VendorAnswerUnreadable(vendor=VENDOR, reason=f"the list at {path} has no end")

    def fetch(self, address: str) -> Iterator[bytes]:
        """Give the bytes of a file the vendor has laid out, whose address carries its own permission."""
        try:
            with self._http.stream("GET", address) as response:
                if response.status_code != HTTPStatus.OK:
                    raise VendorUnavailable(vendor=VENDOR, reason=f"HTTP {response.status_code} for a file")
                yield from response.iter_raw()
        except httpx.TransportError as error:
            raise VendorUnavailable(vendor=VENDOR, reason=_reason(error)) from None

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: Json = None,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        request_id: UUID | None = None,
        etag: str = "",
    ) -> Answer:
        """Send, waiting and trying again a few times where the vendor is slow, busy or away."""
        correlation = str(uuid4())
        sent = {
            "Accept": "application/json",
            "MS-RequestId": str(request_id or uuid4()),
            "MS-CorrelationId": correlation,
            "X-Locale": "en-US",
            **({"If-Match": etag} if etag else {}),
            **(headers or {}),
        }
        content = None if body is None else json.dumps(body, default=_plain).encode()
        if content is not None:
            sent["Content-Type"] = "application/json"
        address = path if "://" in path else f"{self.account.api.rstrip('/')}/{path.lstrip('/')}"
        for attempt in range(self._tries):
            sent["Authorization"] = f"Bearer {self._signed_in()}"
            try:
                response = self._http.request(
                    method, address, content=content, params=dict(query) if query else None, headers=sent
                )
            except httpx.TransportError as error:
                failure = VendorUnavailable(vendor=VENDOR, reason=_reason(error))
            else:
                if response.status_code == HTTPStatus.UNAUTHORIZED and attempt == 0:
                    self._token = ""
                    continue
                if response.is_success:
                    return Answer(
                        response.status_code,
                        _read(response),
                        etag=response.headers.get("ETag", ""),
                        location=response.headers.get("Location", ""),
                        correlation=correlation,
                    )
                failure = self._failure(response)
            wanted = failure.retry_after.total_seconds() if failure.retry_after else 0.0
            wanted = wanted or _FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311 - not a secret
            if attempt + 1 == self._tries or wanted > _LONGEST_PAUSE:
                log.warning("vendor unavailable", path=path, reason=failure.facts["reason"], id=correlation)
                raise failure
            self._pause(wanted)
        raise SignInRefused(vendor=VENDOR, words="the token was refused")

    def _failure(self, response: httpx.Response) -> VendorUnavailable:
        """Give what may be tried again; raise what may not."""
        retry_after = _retry_after(response)
        code, words = _fault(response)
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            return VendorBusy(vendor=VENDOR, reason="too many requests", retry_after=retry_after)
        if code in LATER:
            return VendorBusy(vendor=VENDOR, reason=words, retry_after=retry_after)
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            reason = f"HTTP {response.status_code}"
            return VendorUnavailable(vendor=VENDOR, reason=reason, retry_after=retry_after)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            raise SignInRefused(vendor=VENDOR, words=words)
        refused = AgreementMissing if code == UNAGREED else VendorRefused
        raise refused(vendor=VENDOR, words=words, code=code, remedy=remedy_for(code))

    def _signed_in(self) -> str:
        """Give a token that is valid for a while yet, asking for one where ours is used up."""
        if self._token and self._seconds() < self._token_ends:
            return self._token
        address = f"{self.account.sign_in.rstrip('/')}/{self.account.tenant}/oauth2/v2.0/token"
        form = {
            "grant_type": "client_credentials",
            "client_id": self.account.client_id,
            "client_secret": self.account.client_secret,
            "scope": SCOPE,
        }
        try:
            response = self._http.post(address, data=form)
        except httpx.TransportError as error:
            raise VendorUnavailable(vendor=VENDOR, reason=_reason(error)) from None
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status_code == 429:  # noqa: PLR2004
            reason = f"HTTP {response.status_code} at sign-in"
            raise VendorUnavailable(vendor=VENDOR, reason=reason, retry_after=_retry_after(response))
        body = _read(response)
        if not response.is_success or "access_token" not in body:
            words = str(body.get("error_description") or body.get("error") or response.status_code)
            raise SignInRefused(vendor=VENDOR, words=words.splitlines()[0])
        self._token = str(body["access_token"])
        self._token_ends = self._seconds() + int(body.get("expires_in", 0)) - _TOKEN_MARGIN_SECONDS
        return self._token


def read_json(content: bytes) -> Json:
    """Read a body exactly: numbers keep their digits, a byte-order mark is no part of it."""
    return json.loads(content.decode("utf-8-sig"), parse_float=Decimal)


def _read(response: httpx.Response) -> Json:
    if not response.content:
        return {}
    try:
        return read_json(response.content)
    except ValueError:
        raise VendorAnswerUnreadable(
            vendor=VENDOR, reason=f"HTTP {response.status_code} without JSON"
        ) from None


def _fault(response: httpx.Response) -> tuple[str, str]:
    """Give the vendor's code and words of a failure; its gateways answer in other shapes, or in none."""
    try:
        body = read_json(response.content)
    except ValueError:
        return str(response.status_code), response.reason_phrase
    if not isinstance(body, dict):
        return str(response.status_code), response.reason_phrase
    inner = body.get("error", body)
    inner = inner if isinstance(inner, dict) else body
    code = str(inner.get("code", response.status_code))
    return code, str(inner.get("description") or inner.get("message") or response.reason_phrase)


def _retry_after(response: httpx.Response) -> timedelta | None:
    """Give how long to wait: seconds are what this vendor sends."""
    seconds = response.headers.get("Retry-After", "").strip()
    return timedelta(seconds=int(seconds)) if seconds.isdigit() else None


def _reason(error: httpx.TransportError) -> str:
    return "it did not answer in time" if isinstance(error, httpx.TimeoutException) else "no connection"


def _plain(value: object) -> object:
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(type(value).__name__)

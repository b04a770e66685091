"""What every answer tells the browser: a strict content policy, and the other protective headers."""

from flask import Flask, Response, request

# Tabler's stylesheet draws ticks and arrows from data: images; nothing else comes from elsewhere, nothing is inline.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' data:; "
    "font-src 'self'; "
    "connect-src 'self'; "
    "object-src 'none'; "
    "base-uri 'none'; "
    "form-action 'self'; "
    "frame-ancestors 'none'"
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def init_headers(app: Flask) -> None:
    """Put the headers on every answer."""

    @app.after_request
    def protect(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        # Pages show amounts and names: neither shared caches nor the Back button after signing out may keep them.
        # Set, not left: Flask lets a cache keep downloads as long as it asks again.
        response.headers["Cache-Control"] = "no-store"
        response.vary.update(("Cookie", "HX-Request"))
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        return response


def init_uploads(app: Flask) -> None:
    """Tell a script that sends a form where to go next, instead of letting it follow.

    Following would fetch the next page unseen, and with it the sentence that says the upload was done.
    """

    @app.after_request
    def say_where(response: Response) -> Response:
        if request.headers.get("X-Upload") and response.status_code in {302, 303}:
            response.headers["X-Location"] = response.headers.pop("Location")
            response.status_code = 200
            response.set_data(b"")
        return response

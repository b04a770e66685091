"""The addresses of the application, as the tests of this folder walk them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from marketplace.core.actor import Audience, Permission
from marketplace.web.guards import SAFE_METHODS, mark_of

STORED = Path(__file__).with_name("urls.txt")
AUDIENCES = {
    "admin": Audience.WHOLESALER,
    "storefront": Audience.RESELLER,
    "portal": Audience.CUSTOMER,
}


@dataclass(frozen=True)
class Route:
    """One address with one method."""

    endpoint: str
    rule: str
    method: str
    permission: Permission | None
    is_public: bool
    variables: tuple[tuple[str, str], ...]

    @property
    def audience(self) -> Audience | None:
        """Whose page it is; None for everybody's."""
        return AUDIENCES.get(self.endpoint.partition(".")[0])

    @property
    def changes(self) -> bool:
        """Whether the method may change something."""
        return self.method not in SAFE_METHODS

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def routes(app: Flask) -> list[Route]:
    """List every address with every method it takes."""
    return sorted(_routes(app), key=lambda route: (route.rule, route.method))


def _routes(app: Flask) -> Iterator[Route]:
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        # Werkzeug keeps the types by variable; the text of the rule says whether one was written.
        variables = tuple(re.findall(r"<(?:([a-z]+)(?:\([^)]*\))?:)?([a-z_]+)>", rule.rule))
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(
                endpoint=rule.endpoint,
                rule=rule.rule,
                method=method,
                permission=mark_of(view, "required_permission"),
                is_public=bool(mark_of(view, "is_public")),
                variables=variables,
            )


def stored_text(app: Flask) -> str:
    """Write the list of addresses as it is kept."""
    return "".join(f"{route}\n" for route in routes(app))

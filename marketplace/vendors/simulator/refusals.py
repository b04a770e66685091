"""How the simulator says no: the vendor's codes with the vendor's kind of words."""

from http import HTTPStatus


class Refused(Exception):
    """A request that the vendor's rules do not allow."""

    def __init__(self, code: str, words: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        """Keep the code, the words and how HTTP calls it."""
        super().__init__(words)
        self.code, self.words, self.status = code, words, status


def not_found(what: str, name: str) -> Refused:
    """Say that there is no such thing."""
    return Refused("404", f"{what} {name} could not be found.", HTTPStatus.NOT_FOUND)

"""Making the next things beside the use of those before: what waits for a database leaves the processor to others."""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(things: Iterable[T], *, by: int) -> Generator[T, None, None]:
    """Give things in their order while a thread makes the next ones, at most so many of them.

    What making one raises is raised where it would have been given. Whoever may stop early closes it, which waits for
    the one in the making.
    """
    source = iter(things)
    over: T | None = None
    with ThreadPoolExecutor(1) as beside:
        making = deque(beside.submit(next, source, over) for _ in range(by))
        try:
            while (one := making.popleft().result()) is not None:
                making.append(beside.submit(next, source, over))
                yield one
        finally:
            for later in making:
                later.cancel()

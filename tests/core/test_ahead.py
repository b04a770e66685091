"""Making the next things beside the use of those before."""

import threading
from collections.abc import Iterator

import pytest

from marketplace.core.ahead import ahead


def test_things_come_in_their_order() -> None:
    assert list(ahead(iter(range(20)), by=3)) == list(range(20))


def test_the_next_are_made_by_another_thread_and_no_more_than_so_many() -> None:
    made: list[int] = []
    makers: set[int] = set()
    is_made = threading.Event()

    def making() -> Iterator[int]:
        for number in range(10):
            makers.add(threading.get_ident())
            made.append(number)
            if number == 3:
                is_made.set()
            yield number

    things = ahead(making(), by=3)
    assert next(things) == 0
    assert is_made.wait(timeout=10)

    assert made == [0, 1, 2, 3]
    assert makers
    assert threading.get_ident() not in makers
    assert list(things) == list(range(1, 10))


def test_what_making_one_raises_is_raised_where_it_would_have_been_given() -> None:
    def making() -> Iterator[int]:
        yield 1
        raise LookupError("the second")

    things = ahead(making(), by=3)

    assert next(things) == 1
    with pytest.raises(LookupError, match="the second"):
        next(things)


def test_whoever_stops_early_leaves_nothing_being_made() -> None:
    before = threading.active_count()
    things = ahead(iter(range(10)), by=2)
    assert next(things) == 0

    things.close()

    assert threading.active_count() == before

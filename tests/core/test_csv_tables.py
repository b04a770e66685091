"""Files people prepare in a spreadsheet: any order of columns, any line end; otherwise refused by name."""

import pytest

from marketplace.core.csv_table import (
    BrokenCsv,
    FaultyFile,
    MissingColumns,
    NoHeader,
    NotUtf8,
    RepeatedColumns,
    UnknownColumns,
    WrongSeparator,
    read_table,
)
from marketplace.core.errors import Refusal

COLUMNS = ("a", "b")


def cells(content: bytes) -> list[tuple[int, dict[str, str]]]:
    rows, faults = read_table(content, file="f.csv", columns=COLUMNS)
    faults.check()
    return [(row.number, dict(row.cells)) for row in rows]


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n",
        b"\xef\xbb\xbfa,b\n1,2\n",
        b"a,b\r\n1,2\r\n",
        b"a,b\r1,2\r",
        b"b,a\n2,1",
        b" A ,B\n 1 , 2 \n",
        b'"a","b"\n"1","2"\n',
    ],
)
def test_the_same_table_however_it_was_saved(content: bytes) -> None:
    assert cells(content) == [(1, {"a": "1", "b": "2"})]


def test_blank_lines_are_left_out_and_counted() -> None:
    assert [number for number, _ in cells(b"a,b\n1,2\n\n,\n3,4\n")] == [1, 4]


def test_a_header_alone_is_a_file_without_rows() -> None:
    assert cells(b"a,b\n") == []


@pytest.mark.parametrize(
    ("content", "refusal", "words"),
    [
        (b"", NoHeader, "a,b"),
        (b"\xef\xbb\xbf\n", NoHeader, "is empty"),
        (b"a;b\n1;2\n", WrongSeparator, "with commas"),
        (b"a\tb\n", WrongSeparator, "tab"),
        (b"a\n1\n", MissingColumns, "lacks the columns b"),
        (b"1,2\n", UnknownColumns, "1, 2"),
        (b"a,b,c\n", UnknownColumns, "c"),
        (b"a,b,a\n", RepeatedColumns, "names a column twice: a"),
        (b"a,b\n1,\xe9\n", NotUtf8, "line 2"),
        ("a,b\n1,2\n".encode("utf-16"), NotUtf8, "UTF-8"),
        (b'a,b\n1,"2\n', BrokenCsv, "quotation mark"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_remedy(
    content: bytes, refusal: type[Refusal], words: str
) -> None:
    with pytest.raises(refusal) as raised:
        cells(content)

    assert words in str(raised.value)


def test_every_row_of_another_width_or_with_strange_characters_is_named() -> None:
    with pytest.raises(FaultyFile) as raised:
        cells(b'a,b\n1\n1,2\n1,2,3\n"x\ny",2\n1,\x00\n')

    assert [(fault.row, fault.column) for fault in raised.value.rows] == [
        (1, ""),
        (3, ""),
        (4, "a"),
        (5, "b"),
    ]

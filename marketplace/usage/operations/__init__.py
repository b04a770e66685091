"""Deliveries: received, read into the lake, made current at once, and undone.

An import is a process, not a transaction: files are stored and a delivery is noted (first transaction), rows are read
into the lake under the delivery's number, and one last transaction makes the delivery current and what it replaces
past. Killed at any instant before that, it leaves nothing that counts; the next import clears it away.
"""

from marketplace.usage.operations.fetching import fetch_month
from marketplace.usage.operations.finding import find_delivery, first_rejects
from marketplace.usage.operations.reading import import_files, read_delivery, request_cancel
from marketplace.usage.operations.receiving import GivenFile, Received, receive_files
from marketplace.usage.operations.replacing import undo_delivery

__all__ = [
    "GivenFile",
    "Received",
    "fetch_month",
    "find_delivery",
    "first_rejects",
    "import_files",
    "read_delivery",
    "receive_files",
    "request_cancel",
    "undo_delivery",
]

"""Where data that is not in the repository is found, and how a test says that it is not there."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("MARKETPLACE_SHARED_DATA") or ROOT.parent / "shared" / "data")


def shared(place: str) -> Path:
    """Give a file or folder of the shared data, or skip the test."""
    path = FOLDER / place
    if not path.exists():
        pytest.skip(f"{path} is not there: name the folder of the shared data in MARKETPLACE_SHARED_DATA")
    return path

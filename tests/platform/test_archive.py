"""Backup and restore: everything comes back, damage is found before anything is touched."""

import gzip
import io
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from marketplace import archive, schema
from marketplace.archive import ArchiveDamaged, NotAFile, PlaceNotEmpty
from marketplace.core.db import Database
from marketplace.settings import Settings
from tests.conftest import ThrowAwayPostgres


@pytest.fixture
def empty(postgres: ThrowAwayPostgres) -> Iterator[Database]:
    database = Database(postgres.fresh_database(is_migrated=False))
    yield database
    database.dispose()
    postgres.drop(database.url)


@pytest.fixture
def elsewhere(settings: Settings, tmp_path: Path) -> Settings:
    home = tmp_path / "elsewhere"
    home.mkdir()
    return settings.model_copy(update={"home": home})


@pytest.fixture
def filled(database: Database, settings: Settings) -> Database:
    with database.owner_transaction() as session:
        session.execute(text("UPDATE wholesaler SET legal_name = 'Wanda & Söhne'"))
    part = Path(settings.lake) / "usage" / "period=2024-09" / "vendor=azure" / "delivery=1"
    part.mkdir(parents=True)
    (part / "1.parquet").write_bytes(b"PAR1" * 1000)
    (settings.files / "ab").mkdir()
    (settings.files / "ab" / "abcd").write_bytes(b"account,product\n")
    return database


def name_of_wholesaler(database: Database) -> str | None:
    with database.owner_transaction() as session:
        name: str | None = session.scalar(text("SELECT legal_name FROM wholesaler"))
        return name


def test_everything_comes_back_in_an_empty_place(
    filled: Database, settings: Settings, empty: Database, elsewhere: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "backups" / "september.tar.gz"

    written = archive.back_up(filled, settings, file)
    archive.restore(empty, elsewhere, file)

    assert set(written.members) == {
        "database.dump",
        "lake/usage/period=2024-09/vendor=azure/delivery=1/1.parquet",
        "files/ab/abcd",
    }
    assert name_of_wholesaler(empty) == "Wanda & Söhne"
    schema.check_schema(empty)
    schema.check_models(empty)
    assert (elsewhere.files / "ab" / "abcd").read_bytes() == b"account,product\n"
    lake_file = Path(elsewhere.lake) / "usage/period=2024-09/vendor=azure/delivery=1/1.parquet"
    assert lake_file.read_bytes() == b"PAR1" * 1000


def test_isolation_survives_a_restore(
    filled: Database, settings: Settings, empty: Database, elsewhere: Settings, tmp_path: Path
) -> None:
    archive.back_up(filled, settings, tmp_path / "b.tar.gz")
    archive.restore(empty, elsewhere, tmp_path / "b.tar.gz")

    query = text("SELECT tablename, policyname, qual FROM pg_policies ORDER BY 1, 2")
    rights = text(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants "
        "WHERE grantee = 'marketplace_app' ORDER BY 1, 2"
    )
    for question in (query, rights):
        with filled.owner_transaction() as before, empty.owner_transaction() as after:
            assert before.execute(question).all() == after.execute(question).all()


def test_the_secret_key_is_not_in_a_backup_and_only_its_owner_can_read_it(
    filled: Database, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "b.tar.gz"

    archive.back_up(filled, settings, file)

    assert settings.secret_key.encode() not in gzip.decompress(file.read_bytes())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob(".b*")] == []


def test_a_folder_is_no_place_for_an_archive(filled: Database, settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(NotAFile, match=f"{tmp_path} is a folder: name the file"):
        archive.back_up(filled, settings, tmp_path)


def test_data_that_is_there_is_replaced_only_when_forced(
    filled: Database, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "b.tar.gz"
    archive.back_up(filled, settings, file)
    (settings.files / "later").write_text("later")

    with pytest.raises(PlaceNotEmpty, match="--force"):
        archive.restore(filled, settings, file)
    is_kept = (settings.files / "later").exists()
    archive.restore(filled, settings, file, is_forced=True)

    assert is_kept
    assert not (settings.files / "later").exists()
    assert (settings.files / "ab" / "abcd").exists()


def cut_short(content: bytes) -> bytes:
    return content[: len(content) // 2]


def with_a_changed_byte(content: bytes) -> bytes:
    plain = bytearray(gzip.decompress(content))
    place = plain.index(b"PAR1PAR1")
    plain[place] ^= 1
    return gzip.compress(bytes(plain))


def without_its_manifest(content: bytes) -> bytes:
    result = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(content)) as old, tarfile.open(fileobj=result, mode="w:gz") as new:
        for member in old:
            if member.name != archive.MANIFEST:
                new.addfile(member, old.extractfile(member))
    return result.getvalue()


def climbing_out(_content: bytes) -> bytes:
    result = io.BytesIO()
    with tarfile.open(fileobj=result, mode="w:gz") as new:
        member = tarfile.TarInfo("files/../../outside")
        member.size = 3
        new.addfile(member, io.BytesIO(b"bad"))
    return result.getvalue()


def not_an_archive(_content: bytes) -> bytes:
    return b"hello"


@pytest.mark.parametrize(
    "damage", [cut_short, with_a_changed_byte, without_its_manifest, climbing_out, not_an_archive]
)
def test_a_damaged_archive_is_refused_and_changes_nothing(
    damage: object, filled: Database, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "b.tar.gz"
    archive.back_up(filled, settings, file)
    file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]

    with pytest.raises(ArchiveDamaged, match="Nothing was changed"):
        archive.restore(filled, settings, file, is_forced=True)

    assert name_of_wholesaler(filled) == "Wanda & Söhne"
    assert (settings.files / "ab" / "abcd").exists()
    assert not list(settings.home.glob("restoring-*"))
    assert not (settings.home.parent / "outside").exists()

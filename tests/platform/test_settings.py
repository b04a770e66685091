"""Settings: nothing has to be set, nothing secret has a default, and what is wrong is said in words."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from marketplace import settings as module
from marketplace.settings import SecretKeyExposed, Settings, SettingsRefused, load_settings


def test_a_fresh_home_is_made_with_its_parents_and_a_secret_only_we_can_read(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del settings
    home = tmp_path / "not" / "there" / "yet"
    monkeypatch.setenv("MARKETPLACE_HOME", str(home))

    loaded = load_settings()

    assert loaded.home == home
    assert stat.S_IMODE((home / "secret_key").stat().st_mode) == 0o600
    assert len(loaded.secret_key) >= 64
    assert loaded.lake == str(home / "lake")
    assert loaded.files == home / "files"


def test_the_secret_stays_the_same_and_differs_between_homes(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = load_settings()
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path / "other"))
    other = load_settings()

    assert again.secret_key == settings.secret_key
    assert other.secret_key != settings.secret_key


def test_first_commands_at_once_agree_on_one_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret_key"

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: module._create_secret(file), range(32)))

    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_secret_others_can_read_is_refused(settings: Settings) -> None:
    (settings.home / "secret_key").chmod(0o644)

    with pytest.raises(SecretKeyExposed, match="chmod 600"):
        _ = load_settings().secret_key


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DATABASE_URL", "sqlite:///x", "DATABASE_URL: it must begin with postgresql://"),
        ("MARKETPLACE_PORT", "http", "MARKETPLACE_PORT: input should be a valid integer"),
        ("MARKETPLACE_MEMORY_LIMIT", "lots", "MARKETPLACE_MEMORY_LIMIT: write a whole number and a unit"),
        ("MARKETPLACE_LOCALE", "de", "MARKETPLACE_LOCALE: input should be 'en' or 'fr'"),
        (
            "MARKETPLACE_MICROSOFT_ADDRESS",
            "partner center",
            "MARKETPLACE_MICROSOFT_ADDRESS: write https://host",
        ),
        (
            "MARKETPLACE_MICROSOFT_ADDRESS",
            "http://vendor.example",
            "credentials would be readable on the way",
        ),
        ("MARKETPLACE_SMTP_URL", "mail", "MARKETPLACE_SMTP_URL: write smtp://host:port"),
    ],
)
def test_what_cannot_be_used_is_named_with_the_setting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    del settings
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsRefused) as refusal:
        load_settings()

    assert sentence in str(refusal.value)
    assert str(refusal.value).endswith("docs/settings.md lists what can be set.")


def test_a_refusal_does_not_repeat_a_password(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    del settings
    monkeypatch.setenv("DATABASE_URL", "mysql://wanda:hunter2@db/x")

    with pytest.raises(SettingsRefused) as refusal:
        load_settings()

    assert "hunter2" not in str(refusal.value)


def test_a_home_that_cannot_be_made_is_refused_in_words(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del settings
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MARKETPLACE_HOME", str(tmp_path / "file" / "home"))

    with pytest.raises(module.HomeUnusable, match="set MARKETPLACE_HOME to a folder you may write to"):
        load_settings()


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d", "postgresql+psycopg://u@h/d"),
    ],
)
def test_addresses_as_hosts_write_them_are_understood(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, given: str, used: str
) -> None:
    del settings
    monkeypatch.setenv("DATABASE_URL", given)

    assert load_settings().database_url == used


@pytest.mark.parametrize(("given", "amount"), [("3GB", 3 * 10**9), ("800 mb", 8 * 10**8), ("", 3 * 10**9)])
def test_memory_is_written_with_its_unit(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, given: str, amount: int
) -> None:
    del settings
    monkeypatch.setenv("MARKETPLACE_MEMORY_LIMIT", given)

    assert load_settings().memory_limit == amount


def test_the_page_about_settings_says_what_the_code_does() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"

    assert page.read_text() == module.documentation(), "run `make docs`"


def test_a_database_address_that_cannot_be_read_is_refused_before_it_is_tried(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://wanda:hunter2@127.0.0.1:port/none")

    with pytest.raises(SettingsRefused, match="user:password@host:port/database") as refusal:
        load_settings()

    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("name", ["MARKETPLACE_LAKE", "MARKETPLACE_FILES"])
def test_a_folder_of_its_own_that_cannot_be_made_is_named_with_its_setting(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "a-file").touch()
    monkeypatch.setenv(name, str(tmp_path / "a-file"))

    with pytest.raises(module.HomeUnusable, match=f"a-file cannot be used .* set {name} to"):
        load_settings()

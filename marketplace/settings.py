"""What can be set from outside, read once at the edge. `docs/settings.md` is generated from this file.

Values come from the environment or from a file `.env` in the working folder; nothing here has a secret default.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from marketplace.core.errors import N_, Refusal

UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9}
SECRET_BYTES = 48


class SettingsRefused(Refusal):
    """Something set from outside cannot be used."""

    sentence = N_("The settings cannot be used: %(problems)s. docs/settings.md lists what can be set.")


class HomeUnusable(Refusal):
    """The data folder cannot be made or written."""

    sentence = N_(
        "The data folder %(home)s cannot be used (%(reason)s): set %(name)s to a folder you may write to."
    )


class SecretKeyExposed(Refusal):
    """Other users of the machine can read the secret."""

    sentence = N_(
        "Others can read %(file)s: run `chmod 600 %(file)s`, or delete it and everybody signs in again."
    )


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(
        env_prefix="MARKETPLACE_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    home: Path = Field(
        default=Path("var"),
        description="The data folder: embedded database, lake, stored files, secret key. Created with its parents.",
    )
    database_url: str | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="A PostgreSQL server instead of the embedded one: `postgresql://user:password@host/database`.",
    )
    lake_address: str = Field(
        default="",
        validation_alias="MARKETPLACE_LAKE",
        description="Where usage is kept as Parquet: a folder, or an fsspec address such as `s3://bucket/lake`. "
        "Empty: `lake` in the data folder.",
    )
    files_folder: Path | None = Field(
        default=None,
        validation_alias="MARKETPLACE_FILES",
        description="Where vendor files are stored as they came. Empty: `files` in the data folder.",
    )
    host: str = Field(default="127.0.0.1", description="The address `serve` listens on.")
    port: int = Field(default=5000, ge=1, le=65535, description="The port `serve` listens on.")
    base_url: str = Field(
        default="",
        description="How people reach the site, for links in mails. Empty: host and port of `serve`.",
    )
    proxies: int = Field(
        default=0,
        ge=0,
        le=8,
        description="How many reverse proxies stand in front. Each adds the visitor's address to `X-Forwarded-For`, "
        "from which guessing is counted; with 0 the header is not believed.",
    )
    memory_limit: Annotated[int, NoDecode] = Field(
        default=3 * 10**9,
        description="Memory that importing and rating may use before they spill to disk, such as `3GB` or `800MB`.",
    )
    threads: int = Field(
        default=0,
        ge=0,
        le=1024,
        description="Threads for importing and rating. 0: as many as there are processors.",
    )
    web_threads: int = Field(
        default=8, ge=1, le=256, description="Requests one web process answers at a time."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="What is logged, to standard error."
    )
    smtp_url: str = Field(
        default="",
        description="Mail server, `smtp://user:password@host:587` or `smtps://...`. "
        "Empty: mails are written to `mail` in the data folder.",
    )
    mail_from: str = Field(default="marketplace@localhost", description="The sender of mails.")
    locale: Literal["en", "fr"] = Field(
        default="en", description="The language of pages until a person chooses one."
    )

    microsoft_address: str = Field(
        default="",
        description="Partner Center's interface, `https://api.partnercenter.microsoft.com`. "
        "Empty: orders go to the built-in simulator, and to no vendor.",
    )
    microsoft_graph_address: str = Field(
        default="https://graph.microsoft.com",
        description="Where Microsoft lays out files of usage and bills.",
    )
    microsoft_sign_in_address: str = Field(
        default="https://login.microsoftonline.com", description="Where Microsoft gives out tokens."
    )
    microsoft_tenant: str = Field(default="", description="The wholesaler's own tenant id at Microsoft.")
    microsoft_client_id: str = Field(
        default="", description="The application registered for this marketplace."
    )
    microsoft_client_secret: SecretStr = Field(
        default=SecretStr(""), description="Its secret. It is shown nowhere."
    )
    simulator_port: int = Field(
        default=5050,
        ge=0,
        le=65535,
        description="Where the vendor simulator listens on this machine while no real vendor is configured; `serve` "
        "and `demo` start it. 0: none, and everything is fulfilled by hand.",
    )

    @field_validator("database_url")
    @classmethod
    def _name_the_driver(cls, value: str | None) -> str | None:
        """Accept the address as hosting providers write it, and name our driver in it."""
        if not value:
            return None
        scheme, separator, rest = value.partition("://")
        if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
            raise ValueError(
                "it must begin with postgresql:// because PostgreSQL is the only database that is used"
            )
        address = f"postgresql+psycopg://{rest}"
        try:
            make_url(address)
        except (ArgumentError, ValueError):
            raise ValueError(
                "write postgresql://user:password@host:port/database; in the password write %40 for @ and %2F for /"
            ) from None
        return address

    @field_validator("memory_limit", mode="before")
    @classmethod
    def _read_size(cls, value: object) -> object:
        """Read `3GB` as bytes."""
        if isinstance(value, str):
            text = value.strip().upper()
            for unit, factor in UNITS.items():
                number = text.removesuffix(unit).strip()
                if text.endswith(unit) and number.isdigit() and int(number) > 0:
                    return int(number) * factor
            raise ValueError("write a whole number and a unit, such as 3GB or 800MB")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _check_mail_server(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in {"smtp", "smtps"} or not urlsplit(value).hostname):
            raise ValueError("write smtp://host:port or smtps://host:port")
        return value

    @field_validator("microsoft_address", "microsoft_graph_address", "microsoft_sign_in_address")
    @classmethod
    def _check_vendor_address(cls, value: str) -> str:
        address = urlsplit(value)
        if value and (address.scheme not in {"https", "http"} or not address.hostname):
            raise ValueError("write https://host")
        if address.scheme == "http" and address.hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise ValueError("write https://: credentials would be readable on the way")
        return value.rstrip("/")

    @field_validator("log_level", mode="before")
    @classmethod
    def _ignore_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @property
    def lake(self) -> str:
        """The address of the lake."""
        return self.lake_address or str(self.home / "lake")

    @property
    def is_lake_local(self) -> bool:
        """Whether the lake is a folder of this machine."""
        return "://" not in self.lake

    @property
    def files(self) -> Path:
        """The folder of the stored vendor files."""
        return self.files_folder or self.home / "files"

    @property
    def mail(self) -> Path:
        """The folder mails are written to while there is no mail server."""
        return self.home / "mail"

    @property
    def thread_count(self) -> int:
        """How many threads importing and rating use."""
        return self.threads or os.cpu_count() or 1

    @property
    def has_simulator(self) -> bool:
        """Whether the simulator stands in for the vendor."""
        return not self.microsoft_address and self.simulator_port > 0

    @property
    def simulator_url(self) -> str:
        """The address of the simulator."""
        return f"http://127.0.0.1:{self.simulator_port}"

    @property
    def site_url(self) -> str:
        """The address of the site, without a slash at its end."""
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")

    @cached_property
    def secret_key(self) -> str:
        """The key that signs sessions: made on first use, kept in the data folder, readable by its owner alone."""
        file = self.home / "secret_key"
        _create_secret(file)
        if file.stat().st_mode & 0o077:
            raise SecretKeyExposed(file=file)
        return file.read_text().strip()


def load_settings() -> Settings:
    """Read the settings, and make the data folder with a secret key in it."""
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsRefused(problems="; ".join(_problem(detail) for detail in error.errors())) from None
    settings = settings.model_copy(update={"home": settings.home.expanduser().absolute()})
    with _usable(settings.home, "MARKETPLACE_HOME"):
        settings.home.mkdir(parents=True, exist_ok=True)
        _create_secret(settings.home / "secret_key")
    with _usable(settings.files, "MARKETPLACE_FILES" if settings.files_folder else "MARKETPLACE_HOME"):
        settings.files.mkdir(parents=True, exist_ok=True, mode=0o700)
    if settings.is_lake_local:
        lake = Path(settings.lake)
        with _usable(lake, "MARKETPLACE_LAKE" if settings.lake_address else "MARKETPLACE_HOME"):
            lake.mkdir(parents=True, exist_ok=True, mode=0o700)
    return settings


@contextmanager
def _usable(folder: Path, name: str) -> Iterator[None]:
    """Name the folder that could not be made, and the setting that would move it."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise HomeUnusable(home=folder, reason=reason, name=name) from None


def _create_secret(file: Path) -> None:
    """Write a secret unless there is one. Linking it into place lets exactly one of two first commands win."""
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"secret_key.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(secrets.token_urlsafe(SECRET_BYTES))
        stream.flush()
        os.fsync(descriptor)
    try:
        file.hardlink_to(new)
    except FileExistsError:
        pass
    finally:
        new.unlink()


def environment_name(field: str) -> str:
    """Give the name under which a field is set."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"MARKETPLACE_{field.upper()}"


def _problem(detail: object) -> str:
    """Say in words what is wrong with one setting. Its value is left out: it may hold a password."""
    location = detail["loc"][0]  # type: ignore[index]
    name = environment_name(location) if location in Settings.model_fields else location
    reason = str(detail["msg"]).removeprefix("Value error, ")  # type: ignore[index]
    return f"{name}: {reason[:1].lower()}{reason[1:]}"


def documentation() -> str:
    """Write `docs/settings.md`."""
    rows = []
    for field, facts in Settings.model_fields.items():
        default = {"memory_limit": "3GB", "home": "./var"}.get(field, facts.default)
        shown = "" if isinstance(default, SecretStr) or default in (None, "") else f"`{default}`"
        rows.append(f"| `{environment_name(field)}` | {shown} | {facts.description} |\n")
    return (
        "# Settings\n\nSet them in the environment or in a file `.env` in the working folder. Nothing has to be set.\n"
        "This page is generated: `make docs`.\n\n| Name | Default | Meaning |\n|---|---|---|\n"
        + "".join(rows)
    )


if __name__ == "__main__":
    print(documentation(), end="")  # noqa: T201 - the Makefile writes it to docs/settings.md

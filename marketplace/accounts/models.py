"""Tables of people, their roles, their sessions, and what is sent to them."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, false, func, text, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.core.db import Base
from marketplace.core.errors import Phrase
from resellers.models import Customer, Reseller


class User(Base):
    """A person. What the person may do stands in memberships."""

    __tablename__ = "user_account"
    __table_args__ = (Index("uq_user_account_email", text("lower(email)"), unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    # Unique whatever its case; kept as it was typed.
    email: Mapped[str]
    name: Mapped[str]
    # "en", "fr", or blank: as the browser says.
    locale: Mapped[str] = mapped_column(default="")
    # "light", "dark", or blank: as the device says.
    theme: Mapped[str] = mapped_column(default="")
    # Whether what stands under the bell is mailed too.
    wants_mail: Mapped[bool] = mapped_column(default=True, server_default=true())
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    memberships: Mapped[list["Membership"]] = relationship(back_populates="user", lazy="raise")


class Password(Base):
    """A person's password, hashed by Argon2. Apart from the person, since the role of screens may not read it."""

    __tablename__ = "password"

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), primary_key=True, autoincrement=False)
    hash: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Membership(Base):
    """A person acting for a party in a role. Ended ones are kept, so that the audit trail can be read."""

    __tablename__ = "membership"
    __table_args__ = (
        CheckConstraint(
            "audience IN ('wholesaler', 'reseller', 'customer') "
            "AND (audience = 'reseller') = (reseller_id IS NOT NULL) "
            "AND (audience = 'customer') = (customer_id IS NOT NULL)",
            name="names_its_party",
        ),
        # A person has one role at a party.
        Index(
            "uq_membership",
            *("user_id", "audience", "reseller_id", "customer_id"),
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    audience: Mapped[str]
    reseller_id: Mapped[int | None] = mapped_column(ForeignKey("reseller.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    role: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(back_populates="memberships", lazy="raise")
    reseller: Mapped[Reseller | None] = relationship(lazy="raise")
    customer: Mapped[Customer | None] = relationship(lazy="raise")


class UserSession(Base):
    """A browser that has signed in. Only the hash of its token is kept: who reads the table cannot sign in with it."""

    __tablename__ = "user_session"
    __table_args__ = (
        CheckConstraint(
            "view_as_reseller_id IS NULL OR view_as_customer_id IS NULL", name="views_as_one_party"
        ),
        CheckConstraint(
            "(view_as_until IS NOT NULL) = (view_as_reseller_id IS NOT NULL OR view_as_customer_id IS NOT NULL) "
            "AND (view_as_until IS NULL OR view_as_reason <> '')",
            name="viewing_as_has_reason_and_end",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    # For whom the person acts in this browser.
    membership_id: Mapped[int] = mapped_column(ForeignKey("membership.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    # However busy the session is, it ends then.
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    ip: Mapped[str] = mapped_column(default="")
    user_agent: Mapped[str] = mapped_column(default="")
    # Staff looking as another party: whom, why, until when.
    view_as_reseller_id: Mapped[int | None] = mapped_column(ForeignKey("reseller.id"))
    view_as_customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    view_as_reason: Mapped[str] = mapped_column(default="")
    view_as_until: Mapped[datetime | None]


class PasswordReset(Base):
    """A mailed link by which a person chooses a password, once. Invitations are the same thing, valid for longer."""

    __tablename__ = "password_reset"

    # The key is made here and not by the database: the role of the screens may add rows but not read them.
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    token_hash: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInAttempt(Base):
    """Somebody tried a password, asked for a reset, or began an application.

    The table is what lock-outs and rate limits are counted from.
    """

    __tablename__ = "sign_in_attempt"
    __table_args__ = (
        Index("ix_sign_in_attempt_email", "email", "at"),
        Index("ix_sign_in_attempt_ip", "ip", "at"),
        CheckConstraint("kind IN ('password', 'reset', 'application')", name="kind_is_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    # In lower case, whether anybody has it or not.
    email: Mapped[str]
    ip: Mapped[str]
    # Set after the password was found right. Until then it counts as a failure, so that guesses made at the same
    # time see one another.
    succeeded: Mapped[bool] = mapped_column(default=False)
    # A later reset of the password forgave it.
    is_forgiven: Mapped[bool] = mapped_column(default=False)


class Notification(Base):
    """Something a person should know, kept as template and facts so that it is read in the person's language."""

    __tablename__ = "notification"
    __table_args__ = (
        Index("ix_notification_user_id", "user_id", "created_at"),
        Index("ix_notification_awaits_mail", "id", postgresql_where=text("awaits_mail")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[UUID] = mapped_column(server_default=func.gen_random_uuid(), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    # The party it concerns: a person with two firms sees it while acting for the right one.
    audience: Mapped[str]
    party_id: Mapped[int | None]
    sentence: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    # A path of ours, such as /admin/periods/2024-09.
    link: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    read_at: Mapped[datetime | None]
    awaits_mail: Mapped[bool] = mapped_column(default=False, server_default=false())

    @property
    def phrase(self) -> Phrase:
        """What it says, in any language."""
        return Phrase.from_data({"sentence": self.sentence, "facts": self.facts})


class OutgoingMail(Base):
    """A mail as it was written, sent by a job after the transaction that wrote it."""

    __tablename__ = "outgoing_mail"
    __table_args__ = (
        Index("ix_outgoing_mail_waiting", "created_at", postgresql_where=text("sent_at IS NULL")),
    )

    # Made here, as for resets.
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    to_address: Mapped[str]
    # What it wears, to a reseller's customers: see `core.look.Letterhead`. None is our own.
    letterhead: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))
    subject: Mapped[str]
    # Plain text; `{link}` stands where the link goes.
    body: Mapped[str]
    # A link that signs in or resets is forgotten once the mail has gone.
    link: Mapped[str] = mapped_column(default="")
    # A stored file that goes with it, below the files folder, and what it is called in the mail. Blank is none.
    attachment: Mapped[str] = mapped_column(default="", server_default="")
    attachment_name: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    # Not before, after a failure.
    next_attempt_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")

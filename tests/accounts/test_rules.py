"""What a password must be, how long a guesser waits."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.accounts import passwords, rules
from marketplace.accounts.rules import Guesses
from marketplace.core.errors import Refusal

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("elevenchars", rules.PasswordTooShort),
        ("password1234", rules.PasswordTooCommon),
        ("Pass-Word-Pass-Word", rules.PasswordTooCommon),
        ("aaaaaaaaaaaaaa", rules.PasswordTooCommon),
        ("123456789012", rules.PasswordTooCommon),
        ("abcabcabcabcabc", rules.PasswordTooCommon),
        ("abcdefghijklm", rules.PasswordTooCommon),
        ("azertyuiopqsdf", rules.PasswordTooCommon),
        ("correct horse battery staple", rules.PasswordTooCommon),
        ("wanda.northwind", rules.PasswordNamesYou),
        ("x" * 300, rules.PasswordTooLong),
    ],
)
def test_passwords_that_are_easy_to_guess_are_refused(password: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        passwords.check(password, email="wanda@northwind.example", name="Wanda Vogel")


@pytest.mark.parametrize(
    "password", ["seven geese over Lyon", "žlutý kůň pěl ódy", "k7-vq2mz-09xp", "出納係は静かに歩いた夜に"]
)
def test_a_few_words_are_enough_in_any_script(password: str) -> None:
    passwords.check(password, email="wanda@northwind.example", name="Wanda Vogel")


def test_a_generated_password_passes_its_own_rules() -> None:
    for _ in range(20):
        passwords.check(passwords.generated_password(), email="a@b.example", name="A")


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (4, 0), (5, 30), (6, 60), (7, 120), (11, 1920), (12, 3600), (500, 3600)]
)
def test_the_wait_doubles_up_to_an_hour(failures: int, seconds: int) -> None:
    wait = rules.wait_after(Guesses(failures, NOON), free=rules.FREE_GUESSES)

    assert wait == timedelta(seconds=seconds)


@given(st.integers(0, 10_000), st.integers(1, 50))
def test_more_guesses_never_wait_less(failures: int, free: int) -> None:
    shorter = rules.wait_after(Guesses(failures, NOON), free=free)
    longer = rules.wait_after(Guesses(failures + 1, NOON), free=free)

    assert shorter <= longer <= rules.LONGEST_WAIT


@pytest.mark.parametrize(
    "email", ["wanda@northwind.example", " Wanda.V+x@sub.northwind.co ", "w@localhost", "o'neil@x.test"]
)
def test_addresses_are_looked_at_for_their_form_alone(email: str) -> None:
    assert rules.check_email(email) == email.strip()


@pytest.mark.parametrize(
    "email",
    ["", "wanda", "wanda@", "@x.example", "a b@x.example", "a@x.example\nBcc: b@y.example", "a@-x.example"],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(rules.NotAnEmail):
        rules.check_email(email)


@pytest.mark.usefixtures("hashes_as_served")
def test_a_wrong_password_takes_as_long_for_nobody() -> None:
    """No hash to compare with: one is made all the same."""
    assert passwords.is_right(None, "whatever it is") is False


@pytest.mark.usefixtures("hashes_as_served")
def test_a_hash_is_argon2_and_never_the_password() -> None:
    kept = passwords.hash_password("seven geese over Lyon")

    assert kept.startswith("$argon2id$")
    assert passwords.is_right(kept, "seven geese over Lyon")
    assert not passwords.is_right(kept, "seven geese over lyon")

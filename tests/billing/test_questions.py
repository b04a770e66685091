"""Questions about lines: who may ask whom, and who answers."""

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from marketplace.accounts.roles import Role, permissions_of
from marketplace.billing import questions
from marketplace.billing.queries.questions import count_waiting, find_question, questions_of_line
from marketplace.core.actor import Actor, Audience
from marketplace.core.db import Database
from marketplace.core.errors import NotFound, NotPermitted
from resellers.models import Hop
from tests.factories import make_customer, make_reseller
from tests.statement_factories import NOON, make_line, make_period


@dataclass(frozen=True)
class Chain:
    """A line of each hop, and everybody around them."""

    wholesale_line: UUID
    retail_line: UUID
    wanda: Actor
    rashid: Actor
    rosa: Actor
    carla: Actor
    pavel: Actor


def person(name: str, audience: Audience, role: Role, party_id: int | None = None) -> Actor:
    return Actor(
        name=name, audience=audience, party_id=party_id, user_id=7, permissions=permissions_of(audience, role)
    )


@pytest.fixture
def chain(database: Database) -> Chain:
    with database.owner_transaction() as session:
        customer = make_customer(session)
        stranger = make_reseller(session)
        make_period(session)
        wholesale = make_line(session, customer=customer)
        retail = make_line(session, customer=customer, hop=Hop.RETAIL, amount="120")
        return Chain(
            wholesale_line=wholesale.id,
            retail_line=retail.id,
            wanda=person("Wanda", Audience.WHOLESALER, Role.FINANCE),
            rashid=person("Rashid", Audience.RESELLER, Role.OWNER, customer.reseller_id),
            rosa=person("Rosa", Audience.RESELLER, Role.SALES, customer.reseller_id),
            carla=person("Carla", Audience.CUSTOMER, Role.OWNER, customer.id),
            pavel=person("Pavel", Audience.RESELLER, Role.OWNER, stranger.id),
        )


def ask(database: Database, actor: Actor, line_id: UUID, text: str = "Why so much?") -> UUID:
    with database.transaction(actor) as session:
        return questions.ask(session, actor=actor, line_id=line_id, text=text).public_id


def test_a_reseller_asks_the_wholesaler_and_is_answered(database: Database, chain: Chain) -> None:
    asked = ask(database, chain.rashid, chain.wholesale_line)
    with database.transaction(chain.wanda) as session:
        assert count_waiting(session, actor=chain.wanda) == 1
        questions.answer(session, actor=chain.wanda, question_id=asked, text="Two days more.", now=NOON)

    with database.transaction(chain.rashid) as session:
        page = find_question(session, actor=chain.rashid, question_id=asked)

    assert page is not None
    assert page.question.status == "answered"
    assert [(message.author, message.text) for message in page.messages] == [
        ("Rashid", "Why so much?"),
        ("Wanda", "Two days more."),
    ]


def test_a_customer_asks_its_reseller_and_the_wholesaler_does_not_hear_of_it(
    database: Database, chain: Chain
) -> None:
    asked = ask(database, chain.carla, chain.retail_line)

    with database.transaction(chain.wanda) as session:
        assert find_question(session, actor=chain.wanda, question_id=asked) is None
        assert count_waiting(session, actor=chain.wanda) == 0
    with database.transaction(chain.rashid) as session:
        assert count_waiting(session, actor=chain.rashid) == 1
        (row,) = questions_of_line(session, actor=chain.rashid, line_id=chain.retail_line)
        assert row.id == asked


def test_asking_further_makes_the_question_wait_again(database: Database, chain: Chain) -> None:
    asked = ask(database, chain.rashid, chain.wholesale_line)
    with database.transaction(chain.wanda) as session:
        questions.answer(session, actor=chain.wanda, question_id=asked, text="So.", now=NOON)

    with database.transaction(chain.rashid) as session:
        questions.ask_further(session, actor=chain.rashid, question_id=asked, text="But why?")

    with database.transaction(chain.wanda) as session:
        assert count_waiting(session, actor=chain.wanda) == 1


def test_a_stranger_finds_neither_line_nor_question(database: Database, chain: Chain) -> None:
    asked = ask(database, chain.rashid, chain.wholesale_line)

    with pytest.raises(NotFound):
        ask(database, chain.pavel, chain.wholesale_line)
    with database.transaction(chain.pavel) as session, pytest.raises(NotFound):
        questions.answer(session, actor=chain.pavel, question_id=asked, text="Ha.", now=NOON)


def test_a_customer_cannot_ask_about_a_wholesale_line(database: Database, chain: Chain) -> None:
    with pytest.raises(NotFound):
        ask(database, chain.carla, chain.wholesale_line)


def test_whoever_made_the_price_does_not_ask_about_it(database: Database, chain: Chain) -> None:
    with pytest.raises(questions.NotTheBuyer):
        ask(database, chain.rashid, chain.retail_line)
    with pytest.raises(questions.NotTheBuyer):
        ask(database, chain.wanda, chain.wholesale_line)


def test_only_the_party_asked_answers(database: Database, chain: Chain) -> None:
    asked = ask(database, chain.rashid, chain.wholesale_line)

    with database.transaction(chain.rashid) as session, pytest.raises(questions.NotAddressed):
        questions.answer(session, actor=chain.rashid, question_id=asked, text="Never mind.", now=NOON)


def test_a_question_has_words(database: Database, chain: Chain) -> None:
    with pytest.raises(questions.NothingWritten):
        ask(database, chain.rashid, chain.wholesale_line, "   ")
    with pytest.raises(questions.TooLong):
        ask(database, chain.rashid, chain.wholesale_line, "x" * 4001)


def test_somebody_who_only_looks_cannot_ask(database: Database, chain: Chain) -> None:
    looking = Actor(
        name="Rashid",
        audience=Audience.RESELLER,
        party_id=chain.rashid.party_id,
        permissions=chain.rashid.permissions,
        staff_name="Wanda",
        is_read_only=True,
    )

    with pytest.raises(NotPermitted):
        ask(database, looking, chain.wholesale_line)


def test_an_unknown_line_is_not_found(database: Database, chain: Chain) -> None:
    with pytest.raises(NotFound):
        ask(database, chain.rashid, uuid4())

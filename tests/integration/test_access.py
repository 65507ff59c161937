"""Isolation on a real broker with users and rules: every attempt at what a programme can't do, and what it can."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.kafka.access import AccessRule, add_rules, read_rules, remove_rules
from connectors.kafka.broker_folder import BrokerFolder
from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker
from connectors.kafka.errors import BrokerUnavailableError
from schemas.topics import kafka_name
from tests.integration.attempts import ATTEMPTS, OTHER, OWN, Attempt, writing
from tests.integration.broker_cases import CASES, START
from tests.integration.command_line import until
from tests.integration.secured import (
    Secured,
    a_secured_broker,
    a_secured_service,
    may_log_in,
    none_may_log_in,
    readmes_example,
)

pytestmark = pytest.mark.integration

_ANSWERED_MAX_SECONDS = 90
SURPLUS = AccessRule(f"User:programme-{OWN}", "TOPIC", kafka_name("intake"), "LITERAL", "READ")
FOREIGN = AccessRule("User:someone", "TOPIC", "*", "LITERAL", "READ")


@pytest.fixture(scope="module")
def secured(cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with a_secured_broker(cache_dir, tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="module")
def programme(secured: Secured) -> KafkaConnection:
    return secured.user(OWN)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=str)
def test_a_programmes_credentials_are_refused(programme: KafkaConnection, attempt: Attempt) -> None:
    with pytest.raises(Exception, match=attempt.refused_by) as refusal:
        attempt.attempt(programme)

    assert not isinstance(refusal.value, AssertionError)


def test_nobody_comes_in_without_name_and_password(secured: Secured) -> None:
    anonymous = KafkaConnection(bootstrap=secured.broker.bootstrap)

    assert none_may_log_in(anonymous, secured.login(f"programme-{OWN}", "guessed"))


def test_nobody_but_the_service_comes_in_by_the_controllers_door(secured: Secured, programme: KafkaConnection) -> None:
    port = BrokerFolder(secured.broker.data_dir).identity.read_text(encoding="utf-8")
    door = f"127.0.0.1:{json.loads(port)['controller_port']}"
    plain = programme.model_copy(update={"bootstrap": door, "sasl_mechanism": "PLAIN"})

    assert none_may_log_in(plain, KafkaConnection(bootstrap=door))


def test_the_services_password_is_in_no_log_and_no_file_of_others(secured: Secured) -> None:
    folder = BrokerFolder(secured.broker.data_dir)
    password = folder.password.read_bytes()
    files = [path for path in folder.path.rglob("*") if path.is_file() and path.suffix not in {".index", ".timeindex"}]
    holding = [path for path in files if password in path.read_bytes()]

    assert set(holding) == {folder.password, folder.properties}
    assert {path.stat().st_mode & 0o077 for path in holding} == {0}


def test_rules_are_applied_once_and_checked(secured: Secured) -> None:
    assert secured.run("acls", "apply").stdout == "0 rules added, 0 removed\n"
    assert secured.run("acls", "check").exit_code == 0


def test_what_differs_is_told_and_only_pruning_removes_it(secured: Secured) -> None:
    wanted = read_rules(secured.connection)
    add_rules(secured.connection, [SURPLUS])
    try:
        assert [rule["name"] for rule in differing(secured)["surplus"]] == [SURPLUS.name]
        assert secured.run("acls", "apply").stdout == "0 rules added, 0 removed\n"
    finally:
        pruned = secured.run("acls", "apply", "--prune").stdout

    assert pruned == "0 rules added, 1 removed\n"
    assert read_rules(secured.connection) == wanted


def test_a_rule_of_others_that_reaches_us_is_told_and_left_alone(secured: Secured) -> None:
    add_rules(secured.connection, [FOREIGN])
    try:
        found = differing(secured)
        assert secured.run("acls", "apply", "--prune").stdout == "0 rules added, 0 removed\n"
    finally:
        remove_rules(secured.connection, [FOREIGN])

    assert [rule["principal"] for rule in found["foreign"]] == [FOREIGN.principal]
    assert found["missing"] == found["surplus"] == []


def differing(secured: Secured) -> dict[str, list[dict[str, Any]]]:
    checked = secured.run("acls", "check", "--json")
    assert checked.exit_code == 1
    found: dict[str, list[dict[str, Any]]] = json.loads(checked.stdout)
    return found


def test_a_programme_may_not_ask_for_rules_or_users_by_the_commands(
    secured: Secured, programme: KafkaConnection
) -> None:
    for arguments in (("acls", "check"), ("acls", "user", OTHER), ("topics", "apply")):
        assert secured.run(*arguments, connection=programme).exit_code == 2


def test_operations_can_do_what_the_commands_need(secured: Secured) -> None:
    operations = secured.user("operations")

    for arguments in (("acls", "check"), ("topics", "apply"), ("acls", "user", OTHER)):
        assert secured.run(*arguments, connection=operations).exit_code == 0


def test_a_new_password_ends_the_old_one(secured: Secured) -> None:
    old = secured.user(OTHER)
    new = secured.user(OTHER)

    assert may_log_in(new)
    until(lambda: not may_log_in(old))


def test_a_user_is_made_for_nobody_unknown(secured: Secured) -> None:
    refused = secured.run("acls", "user", "nobody")

    assert refused.exit_code == 2
    assert OWN in refused.stderr


def test_a_secured_folder_stays_secured_and_an_open_one_is_not_closed_in_secret(
    secured: Secured, broker: EmbeddedBroker, cache_dir: Path
) -> None:
    with pytest.raises(BrokerUnavailableError, match="choose an empty folder for a secured one"):
        BrokerFolder(broker.data_dir).prepare(None, secured=True)

    assert broker.connection.security_protocol == "PLAINTEXT"
    assert secured.connection.security_protocol == "SASL_PLAINTEXT"


def test_an_open_broker_is_told_from_one_whose_rules_agree(broker: EmbeddedBroker, secured: Secured) -> None:
    checked = secured.run("acls", "check", connection=broker.connection)

    assert checked.exit_code == 2
    assert "the broker keeps no access rules" in checked.stderr


def test_users_and_rules_outlive_a_restart(secured: Secured, programme: KafkaConnection) -> None:
    secured.broker.stop()
    secured.broker.start()

    assert may_log_in(programme)
    assert secured.run("acls", "check").exit_code == 0


async def test_the_pipeline_runs_closed_and_readmes_programme_receives_and_answers(
    secured: Secured, programme: KafkaConnection, tmp_path: Path
) -> None:
    [case] = [one for one in CASES if one.number == "23"]
    async with a_secured_service(secured) as running:
        service = running.service
        await service.step_to(START)
        await running.as_gateway.publish(event for _, event in case.events())
        await service.step_to(START + timedelta(minutes=20))
        with readmes_example(f"programme-{OWN}", programme, tmp_path) as printed:
            await asyncio.to_thread(until, lambda: "reply_accepted" in printed(), _ANSWERED_MAX_SECONDS)
            writing(kafka_name(f"answers.{OWN}"))(programme)
            await asyncio.to_thread(until, lambda: "reply_refused" in printed(), _ANSWERED_MAX_SECONDS)
        said = [row["type"] for topic, row in await service.said() if topic == f"handovers.{OWN}"]

    assert said == ["offered", "reply_accepted"]
    assert [line.split()[0] for line in printed().splitlines()] == ["offered", "reply_accepted", "reply_refused"]
    assert printed().split()[-1] == "missing_field"

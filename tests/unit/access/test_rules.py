"""Who may do what, as worked out from the catalogue: a programme's rules are few, and reach nobody else."""

from __future__ import annotations

import pytest

from connectors.kafka.access import AccessRule
from schemas.topics import catalogue, kafka_name
from streams.access import ROLES, difference, user_of, wanted_rules
from streams.provision import Parties, topic_specs
from streams.settings import Settings

PROGRAMMES = ("headspace", "plan", "plan-b")
PARTIES = Parties(PROGRAMMES, ("plan", "plan-b"))
RULES = wanted_rules(PARTIES)
TOPICS = [spec.name for spec in topic_specs(Settings(), PARTIES)]


def allowed(user: str, operation: str) -> set[str]:
    """Returns the topics on which a user may do this, as the broker would decide."""
    rules = [
        rule
        for rule in RULES
        if (rule.principal, rule.resource) == (f"User:{user}", "TOPIC") and rule.operation in {operation, "ALL"}
    ]
    return {
        topic
        for topic in TOPICS
        for rule in rules
        if topic == rule.name or (rule.pattern == "PREFIXED" and topic.startswith(rule.name))
    }


@pytest.mark.parametrize("programme", PROGRAMMES)
def test_a_programme_reads_its_own_two_topics_and_writes_its_own_answers(programme: str) -> None:
    user = f"programme-{programme}"

    assert allowed(user, "READ") == {kafka_name(f"handovers.{programme}"), kafka_name(f"refusals.{programme}")}
    assert allowed(user, "WRITE") == {kafka_name(f"answers.{programme}")}


def test_a_programme_has_its_groups_and_nothing_else() -> None:
    others = {rule for rule in RULES if rule.principal == "User:programme-plan" and rule.resource != "TOPIC"}

    assert others == {AccessRule("User:programme-plan", "GROUP", "plan.", "PREFIXED", "READ")}


def test_a_source_writes_its_statements_and_reads_its_receipts_in_groups_of_its_own() -> None:
    user = "brobygger-source-plan"
    others = {rule for rule in RULES if rule.principal == f"User:{user}" and rule.resource != "TOPIC"}

    assert allowed(user, "READ") == {kafka_name("receipts.plan")}
    assert allowed(user, "WRITE") == {kafka_name("statements.plan")}
    assert allowed(user, "DELETE") == set()
    assert others == {AccessRule(f"User:{user}", "GROUP", "source-plan.", "PREFIXED", "READ")}


def test_the_gateway_alone_reads_and_empties_what_sources_state() -> None:
    topics = {kafka_name("statements.plan"), kafka_name("statements.plan-b")}

    assert allowed("brobygger-gateway", "DELETE") == topics
    assert not topics & (allowed("brobygger-worker", "READ") | allowed("brobygger-reader", "READ"))


def test_whose_id_begins_another_has_none_of_its_groups() -> None:
    [rule] = [one for one in RULES if (one.principal, one.resource) == ("User:programme-plan", "GROUP")]

    assert not "plan-b.desk".startswith(rule.name)


def test_every_party_of_the_catalogue_that_is_ours_is_some_role() -> None:
    known = tuple(party for role in ROLES.values() for party in role.parties)
    parties = {party for topic in catalogue().values() for party in (*topic.producers, *topic.consumers)}
    people = {"programmes", "sources", "operations", "streams.cli"}  # who comes from outside, and who runs the commands

    assert {party for party in parties - people if not party.startswith(known)} == set()


def test_only_the_worker_reads_or_writes_state_and_nobody_but_operations_and_it_the_intake_log() -> None:
    for name in ("intake-state", "pathway-state", "intake"):
        for operation in ("READ", "WRITE"):
            users = {
                rule.principal.removeprefix("User:")
                for rule in RULES
                if kafka_name(name) in allowed(rule.principal.removeprefix("User:"), operation)
            }
            assert users == {"brobygger-worker", "brobygger-operations"}


@pytest.mark.parametrize(
    ("name", "user"),
    [
        ("headspace", "programme-headspace"),
        ("source-plan-b", "brobygger-source-plan-b"),
        ("worker", "brobygger-worker"),
        ("operations", "brobygger-operations"),
    ],
)
def test_a_user_is_named_for_its_programme_or_role(name: str, user: str) -> None:
    assert user_of(name, PARTIES) == user


def test_nobody_else_gets_a_user() -> None:
    assert user_of("brobygger", PARTIES) is None
    assert user_of("source-headspace", PARTIES) is None


def test_what_is_as_wanted_differs_in_nothing() -> None:
    other = AccessRule("User:billing", "TOPIC", "invoices", "LITERAL", "READ")

    assert difference(RULES, RULES | {other}).none


@pytest.mark.parametrize(
    "rule",
    [
        AccessRule("User:programme-headspace", "TOPIC", kafka_name("intake"), "LITERAL", "READ"),
        AccessRule("User:programme-gone", "GROUP", "gone.", "PREFIXED", "READ"),
        AccessRule("User:someone", "TOPIC", kafka_name("handovers.headspace"), "LITERAL", "READ"),
        AccessRule("User:someone", "GROUP", "headspace.", "PREFIXED", "READ"),
    ],
)
def test_what_is_about_us_and_not_wanted_is_surplus(rule: AccessRule) -> None:
    found = difference(RULES, RULES | {rule})

    assert (found.missing, found.surplus, found.foreign) == ((), (rule,), ())


@pytest.mark.parametrize(
    "rule",
    [
        AccessRule("User:someone", "TOPIC", "*", "LITERAL", "READ"),
        AccessRule("User:*", "TOPIC", "bro", "PREFIXED", "READ"),
        AccessRule("User:someone", "GROUP", "h", "PREFIXED", "READ"),
    ],
)
def test_a_rule_of_others_that_reaches_us_is_foreign_and_never_pruned(rule: AccessRule) -> None:
    found = difference(RULES, RULES | {rule})

    assert (found.missing, found.surplus, found.foreign) == ((), (), (rule,))


def test_what_the_cluster_lacks_is_missing() -> None:
    lost = min(RULES)

    assert difference(RULES, RULES - {lost}).missing == (lost,)


def test_a_rule_is_a_line_for_kafkas_own_script() -> None:
    rule = AccessRule("User:brobygger-worker", "TRANSACTIONAL_ID", "brobygger-", "PREFIXED", "DESCRIBE_CONFIGS")

    assert rule.as_script() == (
        "kafka-acls.sh --bootstrap-server $KAFKA_BOOTSTRAP --add --allow-principal User:brobygger-worker "
        "--operation DescribeConfigs --transactional-id 'brobygger-' --resource-pattern-type prefixed"
    )

"""Who may do what on the cluster, worked out from the topic catalogue and the programmes.

A programme is the Kafka user ``programme-<id>``: it reads its own two topics, in consumer groups ``<id>.…``, and writes
its own answers. A source on Kafka is ``brobygger-source-<id>``: it writes its statements and reads its receipts, in
groups ``source-<id>.…``. Service users are named here with the parties of ``topics.toml`` that they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.kafka.access import AccessRule
from schemas.topics import Topic, catalogue, kafka_name
from streams.agents import join_pathways, merge_intake
from streams.settings import APP_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.provision import Parties

#: Every topic, group and transactional id of the service begins so; groups of programmes and sources don't.
OURS = "brobygger"
_PROGRAMME_USER, _SOURCE = "programme-", "source-"
_EVERY = "<party>"


@dataclass(frozen=True, slots=True)
class ServiceRole:
    """A process of the service: the parties of the catalogue that it is, beginnings of their names included."""

    parties: tuple[str, ...]
    groups: tuple[tuple[str, str], ...]
    transactional_ids: tuple[str, ...] = ()


#: ``--leave`` removes a member from the group, which reading it allows. The gateway serves programmes, pages and
#: webhooks from what it reads, so it is every reader there; ``reader`` is for those that run apart.
ROLES = {
    "worker": ServiceRole(
        ("streams.agents.", "streams.engine."),
        ((APP_ID, "LITERAL"),),
        (f"{APP_ID}-{merge_intake.STAGE}-", f"{APP_ID}-{join_pathways.STAGE}-"),
    ),
    "gateway": ServiceRole(("connectors.", "read model", "sources and owners"), ((f"{OURS}-", "PREFIXED"),)),
    "deliverer": ServiceRole(
        ("connectors.webhooks", "connectors.source_letters", "connectors.source_silence"), groups=()
    ),
    "reader": ServiceRole(("read model", "sources and owners", "audit"), ((f"{OURS}-", "PREFIXED"),)),
}
#: Runs the commands: makes topics, writes programme files to the log, decides about needs, gives users their rules.
OPERATIONS = "operations"


def user_of(name: str, parties: Parties) -> str | None:
    """Returns the Kafka user of a programme's id, a source (``source-<id>``) or a service role; None where unknown."""
    if name in parties.programmes:
        return f"{_PROGRAMME_USER}{name}"
    ours = (*ROLES, OPERATIONS, *(f"{_SOURCE}{source}" for source in parties.sources))
    return f"{OURS}-{name}" if name in ours else None


def wanted_rules(parties: Parties) -> frozenset[AccessRule]:
    """Returns all rules of the service and of these parties: what is not allowed here, nobody may do."""
    # The dot keeps "plan" out of the groups of "plan-b": an id has none.
    own = [("programme", one, f"{_PROGRAMME_USER}{one}", f"{one}.") for one in parties.programmes]
    own += [("source", one, f"{OURS}-{_SOURCE}{one}", f"{_SOURCE}{one}.") for one in parties.sources]
    rules = {rule for kind, party, user, groups in own for rule in _party_rules((kind, party), user, groups)}
    for name, role in ROLES.items():
        rules.update(_role_rules(f"User:{OURS}-{name}", role))
    rules.update(_operations_rules(f"User:{OURS}-{OPERATIONS}"))
    return frozenset(rules)


@dataclass(frozen=True, slots=True)
class AccessDifference:
    """What the cluster lacks; what it has beside it about us; and what others may do to us by rules of their own."""

    missing: tuple[AccessRule, ...]
    surplus: tuple[AccessRule, ...]
    foreign: tuple[AccessRule, ...]

    @property
    def none(self) -> bool:
        """Tells whether the cluster is as wanted."""
        return not (self.missing or self.surplus or self.foreign)


def difference(wanted: frozenset[AccessRule], found: frozenset[AccessRule]) -> AccessDifference:
    """Compares. Surplus are rules for our users or on names that are ours alone: pruning may take them.

    Foreign are the rules of others, wider than us (topic ``*``), by which they reach our topics or groups all the same.
    """
    beside = found - wanted
    places = {(rule.resource, rule.name) for rule in wanted if rule.resource != "CLUSTER"}
    surplus = {rule for rule in beside if _is_about_us(rule) or (rule.resource, rule.name) in places}
    foreign = {rule for rule in beside - surplus if any(_reaches(rule, place) for place in places)}
    return AccessDifference(tuple(sorted(wanted - found)), tuple(sorted(surplus)), tuple(sorted(foreign)))


def _is_about_us(rule: AccessRule) -> bool:
    mine = rule.principal.removeprefix("User:").startswith((f"{OURS}-", _PROGRAMME_USER))
    return mine or (rule.resource != "CLUSTER" and rule.name.startswith(OURS))


def _reaches(rule: AccessRule, place: tuple[str, str]) -> bool:
    resource, name = place
    return rule.resource == resource and rule.covers(name)


def _party_rules(party: tuple[str, str], user: str, groups: str) -> Iterator[AccessRule]:
    kind, party_id = party
    for short, topic in catalogue().items():
        if topic.per == kind:
            name = kafka_name(f"{short}.{party_id}")
            for operation in _operations(topic, (f"{kind}s",)):
                yield AccessRule(f"User:{user}", "TOPIC", name, "LITERAL", operation)
    yield AccessRule(f"User:{user}", "GROUP", groups, "PREFIXED", "READ")


def _role_rules(principal: str, role: ServiceRole) -> Iterator[AccessRule]:
    for short, topic in catalogue().items():
        name, pattern = _place(short, topic)
        for operation in _operations(topic, role.parties):
            yield AccessRule(principal, "TOPIC", name, pattern, operation)
    for group, pattern in role.groups:
        yield AccessRule(principal, "GROUP", group, pattern, "READ")
    for beginning in role.transactional_ids:
        yield AccessRule(principal, "TRANSACTIONAL_ID", beginning, "PREFIXED", "WRITE")


def _operations_rules(principal: str) -> Iterator[AccessRule]:
    for resource in ("TOPIC", "GROUP", "TRANSACTIONAL_ID"):
        yield AccessRule(principal, resource, OURS, "PREFIXED", "ALL")
    for operation in ("DESCRIBE", "ALTER"):
        yield AccessRule(principal, "CLUSTER", "kafka-cluster", "LITERAL", operation)


def _place(short: str, topic: Topic) -> tuple[str, str]:
    """Returns one rule's name and pattern for all of a topic's parties, so that a new one changes no role."""
    if topic.per is not None:
        return kafka_name(f"{short}.{_EVERY}").partition(_EVERY)[0], "PREFIXED"
    return kafka_name(short), "LITERAL"


def _operations(topic: Topic, parties: tuple[str, ...]) -> Iterator[str]:
    if any(party.startswith(parties) for party in topic.consumers):
        yield "READ"
        if topic.delete_after_read:
            yield "DELETE"
    if any(party.startswith(parties) for party in topic.producers):
        yield "WRITE"

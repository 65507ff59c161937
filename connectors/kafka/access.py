"""Who may do what on a cluster: reads, adds and removes its access rules (ACLs), and makes users with passwords."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from kafka.errors import ClusterAuthorizationFailedError, NoError, SecurityDisabledError

from connectors.kafka.errors import BrokerUnavailableError
from connectors.kafka.topics import opened_admin

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from connectors.kafka.connection import KafkaConnection

_PASSWORD_BYTES = 32
_SCRAM_ITERATIONS = 8192
_SCRIPT_RESOURCES = {"TOPIC": "topic", "GROUP": "group", "TRANSACTIONAL_ID": "transactional-id"}


@dataclass(frozen=True, slots=True, order=True)
class AccessRule:
    """One ACL, in Kafka's words: who (``User:name``), may or may not, do what, to which resources, from where."""

    principal: str
    resource: str
    name: str
    pattern: str
    operation: str
    permission: str = "ALLOW"
    host: str = "*"

    def covers(self, prefix: str) -> bool:
        """Tells whether the rule is about any resource whose name begins with ``prefix``."""
        if self.pattern == "PREFIXED":
            return self.name.startswith(prefix) or prefix.startswith(self.name)
        return self.name == "*" or self.name.startswith(prefix)

    def as_script(self) -> str:
        """Returns the line for Kafka's own ``kafka-acls.sh`` that adds this rule."""
        operation = "".join(word.capitalize() for word in self.operation.split("_"))
        who = f"--{self.permission.lower()}-principal {self.principal}"
        if self.resource == "CLUSTER":
            place = "--cluster"
        else:
            place = f"--{_SCRIPT_RESOURCES[self.resource]} '{self.name}' --resource-pattern-type {self.pattern.lower()}"
        return f"kafka-acls.sh --bootstrap-server $KAFKA_BOOTSTRAP --add {who} --operation {operation} {place}"


def read_rules(connection: KafkaConnection) -> frozenset[AccessRule]:
    """Returns every rule of the cluster. Raises BrokerUnavailableError, also where the broker keeps no rules."""
    everything = ACLFilter(
        None,
        None,
        ACLOperation.ANY,
        ACLPermissionType.ANY,
        ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
    )
    try:
        with opened_admin(connection) as admin:
            found, _ = admin.describe_acls(everything)
    except BrokerUnavailableError as error:
        raise _explained(error) from error
    return frozenset(_rule(one) for one in found)


def add_rules(connection: KafkaConnection, rules: Collection[AccessRule]) -> None:
    """Adds the rules; one that is there already stays as it is. Raises BrokerUnavailableError where one is refused."""
    if not rules:
        return
    wanted = [
        ACL(one.principal, one.host, ACLOperation[one.operation], ACLPermissionType[one.permission], _pattern(one))
        for one in sorted(rules)
    ]
    with opened_admin(connection) as admin:
        failed = admin.create_acls(wanted)["failed"]
    if failed:
        _refuse("add", (error.__name__ for error in failed))


def remove_rules(connection: KafkaConnection, rules: Collection[AccessRule]) -> None:
    """Removes exactly these rules. Raises BrokerUnavailableError where Kafka refuses."""
    if not rules:
        return
    unwanted = [
        ACLFilter(
            one.principal, one.host, ACLOperation[one.operation], ACLPermissionType[one.permission], _pattern(one)
        )
        for one in sorted(rules)
    ]
    with opened_admin(connection) as admin:
        answers = admin.delete_acls(unwanted)
    failed = [error for _, _, error in answers if error is not NoError]
    if failed:
        _refuse("remove", (error.__name__ for error in failed))


def set_new_password(connection: KafkaConnection, user: str) -> str:
    """Makes a SCRAM-SHA-512 user, or gives it another password; returns the password, which is kept nowhere.

    Connections that are open under the old password go on until they end.
    """
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    wanted = UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password, iterations=_SCRAM_ITERATIONS)
    with opened_admin(connection) as admin:
        refusal = admin.alter_user_scram_credentials([wanted])[user]
    if refusal is not None:
        # Not repeated: Kafka's text is the whole request, many lines of it.
        _refuse("make a user", ("not authorised",))
    return password


def _pattern(rule: AccessRule) -> ResourcePattern:
    return ResourcePattern(ResourceType[rule.resource], rule.name, ACLResourcePatternType[rule.pattern])


def _rule(found: ACL) -> AccessRule:
    place = found.resource_pattern
    return AccessRule(
        found.principal,
        place.resource_type.name,
        place.resource_name,
        place.pattern_type.name,
        found.operation.name,
        found.permission_type.name,
        found.host,
    )


def _explained(error: BrokerUnavailableError) -> BrokerUnavailableError:
    if isinstance(error.__cause__, SecurityDisabledError):
        message = (
            "the broker keeps no access rules, so that everyone may do everything; set authorizer.class.name, "
            "or start the embedded one with `brobygger up --secured`"
        )
        return BrokerUnavailableError(message)
    if isinstance(error.__cause__, ClusterAuthorizationFailedError):
        message = "this user may not see access rules; set KAFKA_USERNAME and KAFKA_PASSWORD to one that may"
        return BrokerUnavailableError(message)
    return error


def _refuse(what: str, reasons: Iterator[str] | tuple[str, ...]) -> None:
    told = ", ".join(sorted(set(reasons)))
    message = f"Kafka refuses to {what} ({told}); use a user that may alter the cluster, such as the super user"
    raise BrokerUnavailableError(message)

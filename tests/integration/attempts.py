"""What a programme's credentials are tried on: each must be refused by the broker itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    AlterConfigOp,
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from kafka.errors import KafkaError, NoError, for_code
from kafka.protocol.consumer import FetchRequest
from kafka.structs import OffsetAndMetadata

from connectors.kafka.connection import KafkaConnection
from schemas.topics import catalogue, kafka_name
from streams.provision import Parties

WAIT_MS = 20_000
_LEADER = 1
OWN, OTHER = "headspace", "ungevaerftet"
SOURCE, OTHER_SOURCE = "helsingor", "aarhus"
PARTIES = Parties((OWN, OTHER), (SOURCE, OTHER_SOURCE))
OWN_TOPIC = kafka_name(f"handovers.{OWN}")
TopicRefused = "TopicAuthorizationFailedError"
GroupRefused = "GroupAuthorizationFailedError"
ClusterRefused = "ClusterAuthorizationFailedError"
TransactionRefused = "TransactionalIdAuthorizationFailedError"


@dataclass(frozen=True)
class Attempt:
    """One attempt: what is tried, and the error by which the broker refuses."""

    what: str
    attempt: Callable[[KafkaConnection], object]
    refused_by: str

    def __str__(self) -> str:
        return self.what.replace(" ", "-")


def all_topics() -> list[str]:
    """Returns every topic of the catalogue, for both programmes and both sources."""
    shorts = [short for name, topic in catalogue().items() for short in PARTIES.names_of(name, topic)]
    return [*map(kafka_name, shorts), "__consumer_offsets", "__transaction_state"]


def reading(topic: str) -> Callable[[KafkaConnection], object]:
    """Returns an attempt to fetch from the leader itself: a consumer would stop at the metadata it isn't shown."""

    def fetch(admin: KafkaAdminClient) -> object:
        place = FetchRequest.FetchTopic.FetchPartition(
            partition=0,
            fetch_offset=0,
            partition_max_bytes=1_000_000,
            current_leader_epoch=-1,
            log_start_offset=-1,
            last_fetched_epoch=-1,
        )
        request = FetchRequest(
            max_wait_ms=100,
            min_bytes=1,
            max_bytes=1_000_000,
            isolation_level=0,
            session_id=0,
            session_epoch=-1,
            topics=[FetchRequest.FetchTopic(topic=topic, partitions=[place])],
            forgotten_topics_data=[],
            rack_id="",
            max_version=12,  # the last that names a topic instead of its id
        )
        [answer] = admin._manager.run(admin._manager.send, request, _LEADER).responses
        [partition] = answer.partitions
        return {"error_code": partition.error_code}

    return asking(fetch)


def writing(topic: str) -> Callable[[KafkaConnection], object]:
    def attempt(connection: KafkaConnection) -> object:
        producer = KafkaProducer(**connection.for_kafka_python(), max_block_ms=WAIT_MS)
        try:
            return producer.send(topic, b"{}", key=b"key", partition=0).get(WAIT_MS / 1000)
        finally:
            producer.close(timeout=1)

    return attempt


def joining(group: str) -> Callable[[KafkaConnection], object]:
    def attempt(connection: KafkaConnection) -> object:
        consumer = KafkaConsumer(OWN_TOPIC, **connection.for_kafka_python(), group_id=group)
        try:
            return consumer.poll(timeout_ms=WAIT_MS)
        finally:
            consumer.close(autocommit=False)

    return attempt


def committing(group: str) -> Callable[[KafkaConnection], object]:
    def attempt(connection: KafkaConnection) -> object:
        consumer = KafkaConsumer(**connection.for_kafka_python(), group_id=group)
        try:
            place = TopicPartition(OWN_TOPIC, 0)
            consumer.assign([place])
            return consumer.commit({place: OffsetAndMetadata(0, "", -1)})
        finally:
            consumer.close(autocommit=False)

    return attempt


def transacting(transactional_id: str) -> Callable[[KafkaConnection], object]:
    def attempt(connection: KafkaConnection) -> object:
        producer = KafkaProducer(
            **connection.for_kafka_python(), transactional_id=transactional_id, max_block_ms=WAIT_MS
        )
        try:
            return producer.init_transactions()
        finally:
            producer.close(timeout=1)

    return attempt


def asking(ask: Callable[[KafkaAdminClient], object]) -> Callable[[KafkaConnection], object]:
    """Returns an attempt on the cluster itself; an error that an answer holds is raised."""

    def attempt(connection: KafkaConnection) -> object:
        with KafkaAdminClient(**connection.for_kafka_python(), request_timeout_ms=WAIT_MS) as admin:
            return raised(ask(admin))

    return attempt


def raised(answer: Any) -> object:
    """Raises the first error that an answer of kafka-python's admin holds anywhere in it."""
    if isinstance(answer, type) and issubclass(answer, KafkaError) and answer is not NoError:
        raise answer
    if isinstance(answer, KafkaError):
        raise answer
    if isinstance(answer, str) and answer.startswith("[Error "):
        raise KafkaError(answer)
    if isinstance(answer, dict):
        if code := answer.get("error_code"):
            raise for_code(code)
        answer = [*answer.values()]
    for part in answer if isinstance(answer, list | tuple) else ():
        raised(part)
    return answer


def setting_a_password(admin: KafkaAdminClient) -> object:
    told = admin.alter_user_scram_credentials([_SCRAM])[_SCRAM.user]
    if told is not None and told.endswith("needs ALTER permission."):
        raise for_code(_CLUSTER_REFUSED)
    return told


def deleting_records(topic: str) -> Callable[[KafkaAdminClient], object]:
    return lambda admin: admin.delete_records({TopicPartition(topic, 0): 1})


def deleting(topic: str) -> Callable[[KafkaAdminClient], object]:
    return lambda admin: admin.delete_topics([topic])


def seeing_group(group: str) -> Callable[[KafkaAdminClient], object]:
    return lambda admin: admin.describe_groups([group])


def deleting_group(group: str) -> Callable[[KafkaAdminClient], object]:
    return lambda admin: admin.delete_groups([group])


def seeing_the_broker(admin: KafkaAdminClient) -> object:
    request = admin._describe_configs_request([ConfigResource(ConfigResourceType.BROKER, "1")], False)
    [answer] = admin._manager.run(admin._manager.send, request, _LEADER).results
    return {"error_code": answer.error_code}


_CLUSTER_REFUSED = 31
_TOPIC_CONFIG = ConfigResource(ConfigResourceType.TOPIC, OWN_TOPIC, {"retention.ms": (AlterConfigOp.SET, "1")})
_BROKER_CONFIG = ConfigResource(ConfigResourceType.BROKER, "1", {"log.retention.ms": (AlterConfigOp.SET, "1")})
_EVERY_RULE = ACLFilter(
    None,
    None,
    ACLOperation.ANY,
    ACLPermissionType.ANY,
    ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
)
_RULE = ACL(
    f"User:programme-{OWN}",
    "*",
    ACLOperation.ALL,
    ACLPermissionType.ALLOW,
    ResourcePattern(ResourceType.TOPIC, "brobygger", ACLResourcePatternType.PREFIXED),
)
_SCRAM = UserScramCredentialUpsertion(f"programme-{OTHER}", ScramMechanism.SCRAM_SHA_512, "taken over")

MAY_READ = {OWN_TOPIC, kafka_name(f"refusals.{OWN}")}
MAY_WRITE = {kafka_name(f"answers.{OWN}")}
OTHERS_GROUPS = (f"{OTHER}.desk", "brobygger", "brobygger-gateway-answers", "brobygger-anything", OWN, f"{OWN}-b.desk")
TRANSACTIONAL_IDS = ("brobygger-merge_intake-0", "brobygger-join_pathways-0", f"{OWN}.desk", OWN)

ATTEMPTS = (
    *(Attempt(f"read {topic}", reading(topic), TopicRefused) for topic in all_topics() if topic not in MAY_READ),
    *(Attempt(f"write {topic}", writing(topic), TopicRefused) for topic in all_topics() if topic not in MAY_WRITE),
    *(Attempt(f"join group {group}", joining(group), GroupRefused) for group in OTHERS_GROUPS),
    *(Attempt(f"commit for group {group}", committing(group), GroupRefused) for group in OTHERS_GROUPS),
    *(Attempt(f"use transactional id {one}", transacting(one), TransactionRefused) for one in TRANSACTIONAL_IDS),
    Attempt(
        "create a topic",
        asking(lambda admin: admin.create_topics({"headspace.mine": {"num_partitions": 1, "replication_factor": 1}})),
        TopicRefused,
    ),
    *(
        Attempt(f"delete topic {topic}", asking(deleting(topic)), TopicRefused)
        for topic in (OWN_TOPIC, kafka_name(f"handovers.{OTHER}"), kafka_name("intake"))
    ),
    Attempt(
        "alter its own topic",
        asking(lambda admin: admin.alter_configs([_TOPIC_CONFIG], raise_on_unknown=False)),
        TopicRefused,
    ),
    Attempt(
        "alter the broker",
        asking(lambda admin: admin.alter_configs([_BROKER_CONFIG], raise_on_unknown=False)),
        ClusterRefused,
    ),
    Attempt("see the broker's settings", asking(seeing_the_broker), ClusterRefused),
    Attempt(
        "add partitions to its own topic",
        asking(lambda admin: admin.create_partitions({OWN_TOPIC: 9})),
        TopicRefused,
    ),
    Attempt("delete records of its own topic", asking(deleting_records(OWN_TOPIC)), TopicRefused),
    Attempt("see rules", asking(lambda admin: admin.describe_acls(_EVERY_RULE)), ClusterRefused),
    Attempt("add a rule", asking(lambda admin: admin.create_acls([_RULE])), ClusterRefused),
    Attempt("remove every rule", asking(lambda admin: admin.delete_acls([_EVERY_RULE])), ClusterRefused),
    Attempt(
        "see users", asking(lambda admin: admin.describe_user_scram_credentials([f"programme-{OTHER}"])), ClusterRefused
    ),
    Attempt(
        "give another programme a password",
        asking(setting_a_password),
        ClusterRefused,
    ),
    *(
        Attempt(f"see group {group}", asking(seeing_group(group)), GroupRefused)
        for group in (f"{OTHER}.desk", "brobygger")
    ),
    *(
        Attempt(f"delete group {group}", asking(deleting_group(group)), GroupRefused)
        for group in (f"{OTHER}.desk", "brobygger")
    ),
)

"""Takes everything off a broker, so that what runs on it next finds a cluster like a new one."""

from __future__ import annotations

from kafka.admin import KafkaAdminClient, MemberToRemove

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.topics import opened_admin
from tests.integration.command_line import until

_INTERNAL = "__"


def empty(connection: KafkaConnection) -> None:
    """Deletes all topics but Kafka's own, then all groups, with members whose processes are gone; blocks until then.

    In this order: a deleted topic's offsets go with it, and must not go when a new topic of its name has some.
    """
    with opened_admin(connection) as admin:
        topics = _topics(admin)
        if topics:
            admin.delete_topics(topics)
            until(lambda: not _topics(admin))
        for group in _groups(admin):
            _delete(admin, group)
        until(lambda: not _groups(admin))


def forget_group(connection: KafkaConnection, group: str) -> None:
    """Deletes a group whose processes are gone, with its offsets: what a broker does after a week without members."""
    with opened_admin(connection) as admin:
        _delete(admin, group)


def _topics(admin: KafkaAdminClient) -> list[str]:
    return [name for name in admin.list_topics() if not name.startswith(_INTERNAL)]


def _groups(admin: KafkaAdminClient) -> list[str]:
    return [one["group_id"] for one in admin.list_groups()]


def _delete(admin: KafkaAdminClient, group: str) -> None:
    """Deletes a group; a static member is taken out first, for it stays in until its session ends."""
    members = admin.describe_groups([group])[group]["members"]
    if members:
        admin.remove_group_members(group, [_removal(one) for one in members])
    answer = admin.delete_groups([group])[group]
    # One without members and offsets goes by itself.
    assert answer in {"OK", "GroupIdNotFoundError"}, (group, answer)


def _removal(member: dict[str, str]) -> MemberToRemove:
    if instance_id := member["group_instance_id"]:
        return MemberToRemove(group_instance_id=instance_id)
    return MemberToRemove(member_id=member["member_id"])

"""Takes a static member out of the group: what `worker --leave` does when a worker is gone for good.

A static member sends no LeaveGroup when it stops, so that a restart finds its partitions where they
were; until the session times out, nobody else gets them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka.admin import KafkaAdminClient, MemberToRemove
from kafka.errors import NoError, UnknownMemberIdError

if TYPE_CHECKING:
    from streams.engine.stage import BrokerConnection


def leave_group(connection: BrokerConnection, app_id: str, instance_id: str) -> bool:
    """Removes the member and returns whether it was one. The others get its partitions at once.

    Blocks for the broker. The worker must have stopped: a running one joins again. Raises KafkaError
    where the broker refuses.
    """
    options: dict[str, Any] = dict(connection.for_kafka_python())
    with KafkaAdminClient(**options) as admin:
        answers = admin.remove_group_members(app_id, [MemberToRemove(group_instance_id=instance_id)])
    for error in answers.values():
        if error not in {NoError, UnknownMemberIdError}:
            raise error
    return NoError in answers.values()

"""Puts a worker together: the two stages on the engine, with keys, metrics and health."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry

from connectors.kafka.reachability import BrokerWatch, MetadataProbe
from connectors.vault.keys import pseudonym_roots, sealing_public_key
from connectors.vault.pseudonyms import Pseudonyms
from schemas.topics import PREFIX, kafka_name
from streams.agents import join_pathways, merge_intake
from streams.agents.dead_letters import DeadLetters
from streams.agents.signals import Signals
from streams.engine.app import EngineApp, build_app
from streams.engine.stage import EngineSettings, MembershipSettings, Stage
from streams.settings import APP_ID, Settings
from streams.telemetry import WorkerMetrics, serve_health

if TYPE_CHECKING:
    from connectors.kafka.connection import KafkaConnection


class NotProvisionedError(Exception):
    """The intake log has no catalogue version yet, so that nothing may be folded."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What one worker is told beside the settings: its name in the group, and its health server's address."""

    instance_id: str
    health: tuple[str, int]


def stages_of(settings: Settings) -> list[Stage]:
    """Returns the two stages with the vault's keys in them."""
    pseudonyms = Pseudonyms(pseudonym_roots(settings.keys_folder))
    sealing_key = sealing_public_key(settings.keys_folder)

    def merging() -> merge_intake.MergeIntake:
        dead_letters = DeadLetters(merge_intake.STAGE, sealing_key)
        return merge_intake.MergeIntake(pseudonyms, dead_letters, settings.partitions)

    def joining() -> join_pathways.JoinPathways:
        dead_letters = DeadLetters(join_pathways.STAGE, sealing_key)
        return join_pathways.JoinPathways(pseudonyms, dead_letters, Signals(settings.partitions))

    return [
        Stage(merge_intake.STAGE, merge_intake.INPUTS, kafka_name("intake-state"), merging),
        Stage(
            join_pathways.STAGE,
            (join_pathways.INTAKE,),
            kafka_name("pathway-state"),
            joining,
            tick_topic=join_pathways.INTAKE,
        ),
    ]


def build_worker(settings: Settings, connection: KafkaConnection, options: WorkerOptions) -> EngineApp:
    """Returns a worker's app. Blocks nobody and connects to nothing yet."""
    registry = CollectorRegistry()
    engine_settings = EngineSettings(
        state_dir=(settings.state_folder / options.instance_id).absolute(),
        release=settings.release,
        membership=MembershipSettings(instance_id=options.instance_id),
        metrics=WorkerMetrics(registry),
    )
    watch = BrokerWatch(MetadataProbe(connection, PREFIX))
    app = build_app(APP_ID, connection, stages_of(settings), engine_settings)

    async def serve() -> None:
        await serve_health(options.health, lambda: {"tasks": app.engine.ready, "broker": watch.ready}, registry)

    app.task(serve)
    app.task(watch.run)
    return app


async def require_provisioned(connection: KafkaConnection, partitions: int) -> None:
    """Raises NotProvisionedError where a partition of the intake log holds nothing, not even a catalogue version."""
    consumer = AIOKafkaConsumer(**connection.for_aiokafka(), enable_auto_commit=False)
    await consumer.start()
    try:
        intake = [TopicPartition(join_pathways.INTAKE, number) for number in range(partitions)]
        ends = await consumer.end_offsets(intake)
    finally:
        await consumer.stop()
    if not all(ends.values()):
        raise NotProvisionedError("the intake log has no catalogue version; run `brobygger programmes apply` first")

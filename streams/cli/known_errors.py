"""The errors whose text tells an operator what to do: printed as one line, without a traceback."""

from __future__ import annotations

from aiokafka.errors import KafkaError as AioKafkaError
from kafka.errors import KafkaError

from connectors.gateway.tables import LedgerUnavailableError
from connectors.kafka.errors import KafkaConnectorError
from connectors.municipal.mapping import MappingError
from connectors.read_model.tables import ReadModelUnavailableError
from connectors.source_letters.tables import SourceLettersUnavailableError
from connectors.source_silence.monitor import SilenceFileError
from connectors.vault.key_files import KeyFileError
from connectors.vault.sealing import UnsealError
from connectors.vault.store import VaultUnavailableError
from connectors.webhooks.lock import AlreadyRunningError
from connectors.webhooks.tables import WebhooksUnavailableError
from schemas.programmes import ProgrammeFileError
from schemas.reference import ReferenceDataError
from streams.agents.steering import CatalogueMissingError
from streams.app import NotProvisionedError
from streams.cli.sending.door_answers import DoorError
from streams.instance import NoInstanceError
from streams.log.copy import CopyError
from streams.log.dead_letters import DeadLetterError
from streams.log.disclosures import HeadsError
from streams.log.following import TopicError
from streams.scenarios.files import ScenarioFileError
from streams.scenarios.stage import ScenarioError
from streams.settings import SettingsError
from streams.supervision import StartFailedError

KNOWN: tuple[type[Exception], ...] = (
    AioKafkaError,
    AlreadyRunningError,
    CatalogueMissingError,
    CopyError,
    DeadLetterError,
    DoorError,
    HeadsError,
    KafkaConnectorError,
    KafkaError,
    KeyFileError,
    LedgerUnavailableError,
    MappingError,
    NoInstanceError,
    NotProvisionedError,
    ProgrammeFileError,
    ReadModelUnavailableError,
    ReferenceDataError,
    ScenarioError,
    ScenarioFileError,
    SettingsError,
    SilenceFileError,
    SourceLettersUnavailableError,
    StartFailedError,
    TopicError,
    UnsealError,
    VaultUnavailableError,
    WebhooksUnavailableError,
)


def explained(error: Exception) -> str:
    """Returns an error's text in one line, with what to do where the text doesn't say."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, AioKafkaError | KafkaError):
        return f"Kafka does not do its part ({text}); `brobygger doctor` tells whether it runs"
    return text

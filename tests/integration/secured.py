"""A broker with users and rules for tests: commands run on it as its super user, and users are made by a command."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.embedded import EmbeddedBroker
from streams.cli.main import app
from tests.integration.command_line import until

ROOT = Path(__file__).parents[2]
PARTITIONS = 4


@dataclass(frozen=True)
class Secured:
    """A running secured broker and a data folder."""

    broker: EmbeddedBroker
    folder: Path

    @property
    def connection(self) -> KafkaConnection:
        """Returns the super user's way to the broker."""
        return self.broker.connection

    def variables(self, connection: KafkaConnection) -> dict[str, str]:
        """Returns the environment of a process that comes as this user."""
        return {
            "BROBYGGER_DATA": str(self.folder),
            "BROBYGGER_PARTITIONS": str(PARTITIONS),
            **connection.as_variables(),
        }

    def run(self, *arguments: str, connection: KafkaConnection | None = None) -> Result:
        """Runs a command as a user, the super user unless one is given."""
        return CliRunner().invoke(app, list(arguments), env=self.variables(connection or self.connection))

    def user(self, name: str) -> KafkaConnection:
        """Returns the way to the broker as a user with a new password, once the broker knows it."""
        made = json.loads(self.run("acls", "user", name, "--json").stdout)
        connection = self.login(made["username"], made["password"])
        until(lambda: may_log_in(connection))
        return connection

    def login(self, username: str, password: str) -> KafkaConnection:
        """Returns the way to the broker with a name and password."""
        return KafkaConnection(
            bootstrap=self.broker.bootstrap,
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="SCRAM-SHA-512",
            username=username,
            password=SecretStr(password),
        )


def may_log_in(connection: KafkaConnection) -> bool:
    """Tells whether the broker lets this user in."""
    try:
        with KafkaAdminClient(**connection.for_kafka_python(), bootstrap_timeout_ms=3_000):
            return True
    except KafkaError:
        return False


def readme_programme() -> str:
    """Returns README's example of a programme that receives and answers over Kafka."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [example] = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "KafkaConsumer" in block]
    return str(example)

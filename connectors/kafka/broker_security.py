"""Closes an embedded broker: everyone gives a name and password, and may do only what a rule allows.

One user, the service's own, is made when the data folder is formatted; it may do everything, and makes the others.
Kafka's controller can't look passwords up before it runs, so its own listener takes the service's user alone.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.errors import BrokerUnavailableError

if TYPE_CHECKING:
    from pathlib import Path

SERVICE_USER = "brobygger"
MECHANISM = "SCRAM-SHA-512"
_PROTOCOL = "SASL_PLAINTEXT"
_PASSWORD_BYTES = 32
_OWNER_ONLY = 0o600


@dataclass(frozen=True)
class ServiceUser:
    """The super user of one embedded broker. Its password never leaves the machine, nor the owner's files."""

    password: SecretStr

    def connection(self, bootstrap: str) -> KafkaConnection:
        """Returns the way to the broker as this user."""
        return KafkaConnection(
            bootstrap=bootstrap,
            security_protocol=_PROTOCOL,
            sasl_mechanism=MECHANISM,
            username=SERVICE_USER,
            password=self.password,
        )

    def properties(self) -> dict[str, str]:
        """Returns the broker's settings that close it."""
        named = f'username="{SERVICE_USER}" password="{self.password.get_secret_value()}"'
        scram = f"org.apache.kafka.common.security.scram.ScramLoginModule required {named};"
        plain = f"org.apache.kafka.common.security.plain.PlainLoginModule required {named} "
        plain += f'user_{SERVICE_USER}="{self.password.get_secret_value()}";'
        return {
            "inter.broker.listener.name": _PROTOCOL,
            "listener.security.protocol.map": f"{_PROTOCOL}:{_PROTOCOL},CONTROLLER:{_PROTOCOL}",
            "sasl.enabled.mechanisms": MECHANISM,
            "sasl.mechanism.inter.broker.protocol": MECHANISM,
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": plain,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:{SERVICE_USER}",
        }

    def write_format_arguments(self, file: Path) -> None:
        """Writes what formatting is told of this user to a file: a command line can be read by everyone."""
        said = f"--add-scram\n{MECHANISM}=[name={SERVICE_USER},password={self.password.get_secret_value()}]\n"
        write_private(file, said)


def service_user(file: Path) -> ServiceUser:
    """Returns the user whose password is in the file; makes both where there is none.

    Raises BrokerUnavailableError where others can read the file.
    """
    if not file.exists():
        write_private(file, secrets.token_urlsafe(_PASSWORD_BYTES))
    if file.stat().st_mode & 0o077:
        message = f"{file} can be read by others, so the broker's password may be known; choose an empty data folder"
        raise BrokerUnavailableError(message)
    return ServiceUser(SecretStr(file.read_text(encoding="ascii")))


def write_private(file: Path, text: str) -> None:
    """Writes a file, whole or not at all, that its owner alone can read."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "w") as opened:
        opened.write(text)
    unfinished.replace(file)

"""Says how to reach a Kafka cluster, in the words of each client that does."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from faust.auth import SASLCredentials, SSLCredentials
from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic import model_validator as validates_whole

from connectors.kafka.errors import ConnectionSettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

_VARIABLES = {
    "bootstrap": "KAFKA_BOOTSTRAP",
    "security_protocol": "KAFKA_SECURITY_PROTOCOL",
    "sasl_mechanism": "KAFKA_SASL_MECHANISM",
    "username": "KAFKA_USERNAME",
    "password": "KAFKA_PASSWORD",
    "ca_file": "KAFKA_CA_FILE",
    "cert_file": "KAFKA_CERT_FILE",
    "key_file": "KAFKA_KEY_FILE",
}
PASSWORD_FILE = "KAFKA_PASSWORD_FILE"  # noqa: S105 a variable's name
_OTHERS = 0o007
_PORT_MAX = 65_535


def _servers(value: str) -> str:
    for server in value.split(","):
        host, colon, port = server.strip().rpartition(":")
        if not (host and colon and port.isascii() and port.isdecimal() and 0 < int(port) <= _PORT_MAX):
            message = f"must be host:port, or several with commas between; {server!r} is not"
            raise ValueError(message)
    return ",".join(server.strip() for server in value.split(","))


def _readable(value: Path) -> Path:
    if not value.is_file():
        message = f"must name a file that exists; {str(value)!r} does not"
        raise ValueError(message)
    return value


ExistingFile = Annotated[Path, AfterValidator(_readable)]


class KafkaConnection(BaseModel):
    """Where a cluster is and how to be let in. Certificate files are PEM.

    A server's certificate is always checked, against ``ca_file`` or else the system's authorities.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bootstrap: Annotated[str, AfterValidator(_servers)]
    security_protocol: SecurityProtocol = "PLAINTEXT"
    sasl_mechanism: SaslMechanism | None = None
    username: str | None = None
    password: SecretStr | None = None
    ca_file: ExistingFile | None = None
    cert_file: ExistingFile | None = None
    key_file: ExistingFile | None = None

    @classmethod
    def from_mapping(cls, variables: Mapping[str, str]) -> Self:
        """Reads the KAFKA_ variables from a mapping; an empty one counts as absent. The password may be in a file.

        Raises ConnectionSettingsError that names every variable that breaks a rule, and what to do.
        """
        given = {field: variables[variable] for field, variable in _VARIABLES.items() if variables.get(variable)}
        if variables.get(PASSWORD_FILE):
            given["password"] = _password_in(Path(variables[PASSWORD_FILE]), given.get("password"))
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            message = "Kafka cannot be reached with these settings:\n" + "\n".join(
                _explained(detail) for detail in found
            )
            # "from None": pydantic's own text would repeat it in words an operator need not know.
            raise ConnectionSettingsError(message) from None

    def as_variables(self) -> dict[str, str]:
        """Returns the KAFKA_ variables that tell a child process of this; the password is among them."""
        values = {field: getattr(self, field) for field in _VARIABLES}
        values["password"] = self.password and self.password.get_secret_value()
        return {variable: str(values[field]) for field, variable in _VARIABLES.items() if values[field] is not None}

    @property
    def uses_tls(self) -> bool:
        """Returns whether traffic is encrypted."""
        return self.security_protocol in {"SSL", "SASL_SSL"}

    @property
    def uses_sasl(self) -> bool:
        """Returns whether a user name and password are sent."""
        return self.security_protocol in {"SASL_PLAINTEXT", "SASL_SSL"}

    def for_kafka_python(self) -> dict[str, Any]:
        """Returns keyword arguments for kafka-python 3's admin, consumer and producer."""
        return {
            "bootstrap_servers": self.bootstrap.split(","),
            "security_protocol": self.security_protocol,
            **({"ssl_context": self._ssl_context()} if self.uses_tls else {}),
            **self._sasl(),
        }

    def for_aiokafka(self) -> dict[str, Any]:
        """Returns keyword arguments for aiokafka 0.14's consumer and producer."""
        return {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.security_protocol,
            **({"ssl_context": self._ssl_context()} if self.uses_tls else {}),
            **self._sasl(),
        }

    def for_faust(self, transport: str = "kafka") -> dict[str, Any]:
        """Returns keyword arguments for a faust-streaming 0.15 App.

        ``transport`` is the name of the Faust transport that shall carry the messages.
        """
        servers = [f"{transport}://{server}" for server in self.bootstrap.split(",")]
        return {"broker": ";".join(servers), "broker_credentials": self._faust_credentials()}

    @validates_whole(mode="after")
    def _fits_together(self) -> Self:
        sasl = (self.sasl_mechanism, self.username, self.password)
        if self.uses_sasl and None in sasl:
            message = f"sasl_mechanism, username, password: must all be set for {self.security_protocol}"
            raise ValueError(message)
        if not self.uses_sasl and any(sasl):
            message = (
                "sasl_mechanism, username, password: must not be set, since security_protocol "
                f"{self.security_protocol} sends none; SASL_SSL does"
            )
            raise ValueError(message)
        if not self.uses_tls and (self.ca_file or self.cert_file or self.key_file):
            message = (
                "ca_file, cert_file, key_file: must not be set, since security_protocol "
                f"{self.security_protocol} is not encrypted; SSL and SASL_SSL are"
            )
            raise ValueError(message)
        if self.key_file and not self.cert_file:
            message = "cert_file: must be set too where key_file is"
            raise ValueError(message)
        return self

    def _sasl(self) -> dict[str, Any]:
        if not self.uses_sasl or self.password is None:
            return {}
        return {
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password.get_secret_value(),
        }

    def _faust_credentials(self) -> SASLCredentials | SSLCredentials | None:
        context = self._ssl_context() if self.uses_tls else None
        if self.uses_sasl and self.password is not None:
            return SASLCredentials(
                username=self.username,
                password=self.password.get_secret_value(),
                mechanism=self.sasl_mechanism,
                ssl_context=context,
            )
        return None if context is None else SSLCredentials(context)

    def _ssl_context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.cert_file:
                context.load_cert_chain(self.cert_file, self.key_file)
        except OSError as error:
            message = (
                f"the certificates in {self.ca_file}, {self.cert_file}, {self.key_file} cannot be "
                f"used ({error}); KAFKA_CA_FILE, KAFKA_CERT_FILE and KAFKA_KEY_FILE must be PEM "
                "files, the key without a pass phrase"
            )
            raise ConnectionSettingsError(message) from error
        return context


def _password_in(file: Path, other: str | None) -> str:
    """Returns the password of a file; raises ConnectionSettingsError, which never holds it."""
    if other is not None:
        raise ConnectionSettingsError(f"{PASSWORD_FILE}, KAFKA_PASSWORD: only one may be set; unset the other")
    try:
        if file.stat().st_mode & _OTHERS:
            raise ConnectionSettingsError(f"{PASSWORD_FILE}: {file} can be read by others; chmod 600 it")
        password = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConnectionSettingsError(
            f"{PASSWORD_FILE}: {file} can't be read; `brobygger acls user NAME --password-file` writes it"
        ) from error
    if not password:
        raise ConnectionSettingsError(f"{PASSWORD_FILE}: {file} is empty; `brobygger acls user` makes a password")
    return password


def _explained(detail: ErrorDetails) -> str:
    rule = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "missing":
        rule = "must be set"
    elif detail["type"] == "literal_error":
        rule = f"must be one of {detail['ctx']['expected']}"
    for field, variable in _VARIABLES.items():
        rule = rule.replace(field, variable)
    named = ", ".join(_VARIABLES[str(part)] for part in detail["loc"])
    return f"- {named + ': ' if named else ''}{rule}; change it and start again"

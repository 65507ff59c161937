"""One set of settings reaches Kafka through each client."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import AuthProtocol, SASLMechanism
from faust.utils.urls import urllist
from kafka.admin import KafkaAdminClient

from connectors.kafka.connection import KafkaConnection
from connectors.kafka.errors import ConnectionSettingsError

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "correct horse"
SASL = {
    "KAFKA_BOOTSTRAP": "one:9092,two:9093",
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "KAFKA_USERNAME": "bridge",
    "KAFKA_PASSWORD": PASSWORD,
}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Returns a self-signed certificate and its key, as PEM files."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bridge")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_file, key_file


def test_only_the_address_is_needed_for_a_plain_cluster() -> None:
    connection = KafkaConnection.from_mapping({"KAFKA_BOOTSTRAP": "one:9092", "HOME": "/root"})

    assert connection == KafkaConnection(bootstrap="one:9092")
    assert connection.for_kafka_python() == {
        "bootstrap_servers": ["one:9092"],
        "security_protocol": "PLAINTEXT",
    }
    assert connection.for_aiokafka() == {
        "bootstrap_servers": "one:9092",
        "security_protocol": "PLAINTEXT",
    }
    assert connection.for_faust() == {"broker": "kafka://one:9092", "broker_credentials": None}


def test_sasl_over_tls_reaches_both_kafka_clients_alike() -> None:
    connection = KafkaConnection.from_mapping(SASL)

    for arguments in (connection.for_kafka_python(), connection.for_aiokafka()):
        context = arguments.pop("ssl_context")
        arguments.pop("bootstrap_servers")
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert arguments == {
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": "bridge",
            "sasl_plain_password": PASSWORD,
        }


def test_kafka_python_knows_every_argument() -> None:
    arguments = KafkaConnection.from_mapping(SASL).for_kafka_python()

    assert set(arguments) <= set(KafkaAdminClient.DEFAULT_CONFIG)


async def test_aiokafka_accepts_every_argument() -> None:
    consumer = AIOKafkaConsumer(**KafkaConnection.from_mapping(SASL).for_aiokafka())

    await consumer.stop()


def test_faust_gets_sasl_credentials_and_every_server() -> None:
    arguments = KafkaConnection.from_mapping(SASL).for_faust("brobygger")

    urls = urllist(arguments["broker"])
    credentials = arguments["broker_credentials"]
    assert [str(url) for url in urls] == ["brobygger://one:9092", "brobygger://two:9093"]
    assert isinstance(credentials, SASLCredentials)
    assert credentials.protocol is AuthProtocol.SASL_SSL
    assert credentials.mechanism is SASLMechanism.SCRAM_SHA_512
    assert (credentials.username, credentials.password) == ("bridge", PASSWORD)


def test_faust_gets_sasl_credentials_without_tls_where_there_is_none() -> None:
    plain = {**SASL, "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}

    credentials = KafkaConnection.from_mapping(plain).for_faust()["broker_credentials"]
    assert credentials.protocol is AuthProtocol.SASL_PLAINTEXT
    assert credentials.ssl_context is None


def test_client_certificates_reach_every_client(certificate: tuple[Path, Path]) -> None:
    cert_file, key_file = certificate
    connection = KafkaConnection(
        bootstrap="one:9092",
        security_protocol="SSL",
        ca_file=cert_file,
        cert_file=cert_file,
        key_file=key_file,
    )

    credentials = connection.for_faust()["broker_credentials"]
    assert isinstance(credentials, SSLCredentials)
    assert credentials.protocol is AuthProtocol.SSL
    for context in (
        credentials.context,
        connection.for_kafka_python()["ssl_context"],
        connection.for_aiokafka()["ssl_context"],
    ):
        assert len(context.get_ca_certs()) == 1


def test_a_certificate_that_is_none_names_its_file(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("not a certificate")
    connection = KafkaConnection(bootstrap="one:9092", security_protocol="SSL", ca_file=file)

    with pytest.raises(ConnectionSettingsError, match=r"ca\.pem.*KAFKA_CA_FILE"):
        connection.for_aiokafka()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"KAFKA_BOOTSTRAP": ""}, "KAFKA_BOOTSTRAP: must be set"),
        ({"KAFKA_BOOTSTRAP": "one"}, "KAFKA_BOOTSTRAP: must be host:port"),
        ({"KAFKA_BOOTSTRAP": "one:9092,"}, "KAFKA_BOOTSTRAP: must be host:port"),
        ({"KAFKA_BOOTSTRAP": "one:\u0663"}, "KAFKA_BOOTSTRAP: must be host:port"),
        ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL: must be one of 'PLAINTEXT'"),
        ({"KAFKA_SASL_MECHANISM": "GSSAPI"}, "KAFKA_SASL_MECHANISM: must be one of 'PLAIN'"),
        ({"KAFKA_PASSWORD": ""}, "KAFKA_PASSWORD: must all be set for SASL_SSL"),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL"}, "KAFKA_PASSWORD: must not be set"),
        ({"KAFKA_CA_FILE": "/absent.pem"}, "KAFKA_CA_FILE: must name a file that exists"),
    ],
)
def test_a_broken_setting_is_named_with_its_rule_and_never_with_the_password(
    changes: dict[str, str], expected: str
) -> None:
    with pytest.raises(ConnectionSettingsError) as caught:
        KafkaConnection.from_mapping(SASL | changes)

    assert expected in str(caught.value)
    assert "change it and start again" in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_a_key_without_a_certificate_is_refused(certificate: tuple[Path, Path]) -> None:
    variables = SASL | {"KAFKA_KEY_FILE": str(certificate[1])}

    with pytest.raises(ConnectionSettingsError, match="KAFKA_CERT_FILE: must be set too"):
        KafkaConnection.from_mapping(variables)


def test_certificates_without_tls_are_refused(certificate: tuple[Path, Path]) -> None:
    variables = {"KAFKA_BOOTSTRAP": "one:9092", "KAFKA_CA_FILE": str(certificate[0])}

    with pytest.raises(ConnectionSettingsError, match="PLAINTEXT is not encrypted"):
        KafkaConnection.from_mapping(variables)


def test_the_password_shows_in_no_text_of_the_settings() -> None:
    connection = KafkaConnection.from_mapping(SASL)

    assert PASSWORD not in f"{connection!r} {connection} {connection.model_dump_json()}"


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    """Returns a file with the password, as its owner alone reads it."""
    file = tmp_path / "kafka.password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    file.chmod(0o600)
    return file


def test_the_password_may_be_in_a_file(password_file: Path) -> None:
    named = {name: value for name, value in SASL.items() if name != "KAFKA_PASSWORD"}

    connection = KafkaConnection.from_mapping(named | {"KAFKA_PASSWORD_FILE": str(password_file)})

    assert connection == KafkaConnection.from_mapping(SASL)


@pytest.mark.parametrize(
    ("mode", "content", "others", "said"),
    [
        (0o604, PASSWORD, {}, "can be read by others; chmod 600 it"),
        (0o600, "", {}, "is empty; `brobygger acls user` makes a password"),
        (None, "", {}, "can't be read; `brobygger acls user NAME --password-file` writes it"),
        (0o600, PASSWORD, {"KAFKA_PASSWORD": PASSWORD}, "only one may be set"),
    ],
)
def test_a_password_file_that_cannot_be_used_is_named_and_never_shown(
    password_file: Path, mode: int | None, content: str, others: dict[str, str], said: str
) -> None:
    password_file.write_text(content, encoding="utf-8")
    password_file.chmod(mode or 0o600)
    if mode is None:
        password_file.unlink()
    named = {name: value for name, value in SASL.items() if name != "KAFKA_PASSWORD"}

    with pytest.raises(ConnectionSettingsError, match="KAFKA_PASSWORD_FILE") as error:
        KafkaConnection.from_mapping(named | {"KAFKA_PASSWORD_FILE": str(password_file)} | others)

    assert said in str(error.value)
    assert PASSWORD not in str(error.value)

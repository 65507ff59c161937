"""The containers run commands that exist, with settings that are known, as `make run` does."""

from __future__ import annotations

import re
import shlex
import tomllib
from typing import Any

import click
import pytest
import typer
import yaml

from connectors.kafka import broker_properties, connection
from streams import settings
from streams.access import user_of
from streams.provision import Parties
from tests.house.tree import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("brobygger")}
#: Those that go on running; the others end once they have made keys, topics and users.
RUNNING = {name: service for name, service in OURS.items() if name not in {"keys", "init", "operations"}}
KNOWN_VARIABLES = {*settings._VARIABLES, *connection._VARIABLES.values(), connection.PASSWORD_FILE}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
CLOSED = {
    "KAFKA_INTER_BROKER_LISTENER_NAME": "CLIENTS",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
    "KAFKA_SASL_ENABLED_MECHANISMS": "PLAIN,SCRAM-SHA-512",
    "KAFKA_SASL_MECHANISM_INTER_BROKER_PROTOCOL": "PLAIN",
    "KAFKA_SASL_MECHANISM_CONTROLLER_PROTOCOL": "PLAIN",
    "KAFKA_LISTENER_NAME_CLIENTS_SCRAM___SHA___512_SASL_JAAS_CONFIG": (
        "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    ),
    "KAFKA_LISTENER_NAME_CONTROLLER_SASL_ENABLED_MECHANISMS": "PLAIN",
    "KAFKA_AUTHORIZER_CLASS_NAME": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "KAFKA_SUPER_USERS": "User:brobygger",
}


def commands_of(service: dict[str, Any]) -> list[list[str]]:
    """Returns the arguments of each brobygger command that a service runs."""
    words: list[str] = service.get("command", [])
    if "entrypoint" not in service:
        return [words] if words else []
    lines = [shlex.split(line) for line in words[0].splitlines()]
    return [line[1:] for line in lines if line[0] == "brobygger"]


def sources_of(service: dict[str, Any]) -> set[str]:
    """Returns the volumes that a service sees."""
    return {volume.partition(":")[0] for volume in service.get("volumes", [])}


def resolve(arguments: list[str]) -> None:
    """Parses the arguments as the command itself would, without running it; raises click.UsageError."""
    from streams.cli.main import app  # noqa: PLC0415 - the command's modules load only where a test needs them

    command: Any = typer.main.get_command(app)
    context = click.Context(command)
    while hasattr(command, "resolve_command"):
        _, command, arguments = command.resolve_command(context, arguments)
        context = click.Context(command, parent=context)
    command.parse_args(context, list(arguments))


ALL_COMMANDS = [(name, arguments) for name, service in OURS.items() for arguments in commands_of(service)]


@pytest.mark.parametrize(("name", "arguments"), ALL_COMMANDS, ids=str)
def test_a_command_exists_with_its_options(name: str, arguments: list[str]) -> None:
    resolve(arguments)


def test_an_option_that_no_command_has_is_noticed() -> None:
    with pytest.raises(Exception, match=r"[Nn]o such option"):
        resolve(["worker", "--no-such-option"])


@pytest.mark.parametrize("name", OURS)
def test_a_variable_is_one_of_the_settings(name: str) -> None:
    assert set(OURS[name].get("environment", {})) <= KNOWN_VARIABLES


def test_the_images_own_variables_are_settings() -> None:
    assert set(re.findall(r"(BROBYGGER_[A-Z_]+|KAFKA_[A-Z_]+)=", DOCKERFILE)) <= KNOWN_VARIABLES


def test_the_broker_has_the_settings_that_the_embedded_one_has_for_a_reason() -> None:
    environment: dict[str, str] = SERVICES["kafka"]["environment"]
    names = {name: name.removeprefix("KAFKA_").replace("_", ".").lower() for name in environment}
    of_places = ("listeners", "log.dirs", "node.id", "quorum.voters")

    unlike = {
        name: value
        for name, value in environment.items()
        if not names[name].endswith(of_places) and broker_properties._ONE_MACHINE.get(names[name]) != value
    }

    assert unlike == CLOSED


def test_nobody_gets_at_the_broker_without_a_password_and_nothing_outside_at_its_network() -> None:
    clients = {
        name: one["environment"] for name, one in OURS.items() if "KAFKA_BOOTSTRAP" in one.get("environment", {})
    }

    assert set(clients) == set(OURS) - {"keys"}
    assert {one["KAFKA_SECURITY_PROTOCOL"] for one in clients.values()} == {"SASL_PLAINTEXT"}
    assert all({"KAFKA_USERNAME", "KAFKA_PASSWORD_FILE"} <= set(one) for one in clients.values())
    assert SERVICES["kafka"]["networks"] == ["cluster"]
    assert COMPOSE["networks"]["cluster"]["internal"] is True
    assert "PLAINTEXT://" not in SERVICES["kafka"]["environment"]["KAFKA_LISTENERS"]
    assert not re.search(r"PASSWORD: [^/]", (ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def test_each_process_comes_as_its_own_user_and_only_operations_as_the_one_that_may_do_everything() -> None:
    users = {name: service["environment"]["KAFKA_USERNAME"] for name, service in OURS.items() if name != "keys"}

    assert users == {
        "init": "brobygger",
        "operations": "brobygger",
        "gateway": user_of("gateway", Parties(())),
        "worker-1": user_of("worker", Parties(())),
        "worker-2": user_of("worker", Parties(())),
        "deliverer": user_of("deliverer", Parties(())),
    }


def test_each_process_sees_its_own_folder_and_no_other_processs() -> None:
    seen = {name: sources_of(service) for name, service in RUNNING.items()}

    assert seen == {
        "gateway": {"gateway", "letters"},
        "worker-1": {"worker-1"},
        "worker-2": {"worker-2"},
        "deliverer": {"deliverer", "letters"},
    }
    assert sources_of(SERVICES["kafka"]) == {"kafka", "kafka-password"}


def test_each_process_is_handed_its_own_keys() -> None:
    handed = [arguments[2:] for arguments in commands_of(SERVICES["keys"])]

    assert handed == [
        ["gateway", "/handed/gateway"],
        ["worker", "/handed/worker-1", "/handed/worker-2"],
        ["deliverer", "/handed/deliverer"],
    ]


@pytest.mark.parametrize("name", OURS)
def test_a_container_can_write_its_volumes_alone_and_gets_no_more_rights(name: str) -> None:
    service = OURS[name]

    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_whoever_mounts_a_volume_first_may_write_it() -> None:
    folders = {volume.split(":")[1] for service in OURS.values() for volume in service["volumes"]}

    assert {one for one in folders if one not in DOCKERFILE.split()} == set()


def test_images_are_of_exact_versions() -> None:
    base = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    images = {service["image"] for service in SERVICES.values()}

    assert images == {f"brobygger:{VERSION}", SERVICES["kafka"]["image"]}
    assert all(re.search(r":\d+\.\d+\.\d+", image) for image in (*images, *base))


def test_what_the_image_copies_goes_to_the_build() -> None:
    copied = {path.split("/")[0] for path in re.findall(r"^COPY (\S+) ", DOCKERFILE, re.MULTILINE)}
    sent = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE))

    assert copied <= sent


def test_the_parts_of_make_run_are_there_with_two_workers() -> None:
    words = [arguments[0] for service in RUNNING.values() for arguments in commands_of(service)]

    assert sorted(words) == ["deliver", "gateway", "worker", "worker"]


def test_no_two_workers_share_an_instance_id() -> None:
    ids = [arguments[arguments.index("--instance-id") + 1] for _, arguments in ALL_COMMANDS if arguments[0] == "worker"]

    assert len(set(ids)) == len(ids)


def test_the_broker_is_the_release_that_the_embedded_one_is() -> None:
    from connectors.kafka.jars import KAFKA_VERSION  # noqa: PLC0415 - beside its one use

    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_everything_that_stays_up_has_a_health_check() -> None:
    assert [name for name, service in SERVICES.items() if "healthcheck" not in service] == []


def test_the_image_runs_as_nobody_in_particular_and_installs_by_hash() -> None:
    assert re.search(r"^USER brobygger$", DOCKERFILE, re.MULTILINE)
    assert "--require-hashes -r requirements/run.txt" in DOCKERFILE


def test_the_image_leaves_the_health_check_to_who_knows_which_process_it_runs() -> None:
    assert "HEALTHCHECK" not in DOCKERFILE

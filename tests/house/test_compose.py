"""The containers run commands that exist, with settings that are known, as `make run` does."""

from __future__ import annotations

import re
import shlex
from typing import Any

import click
import pytest
import typer
import yaml

from connectors.kafka import broker_properties, connection
from streams import settings
from tests.house.tree import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
OURS = {name: service for name, service in COMPOSE["services"].items() if service.get("image") == "brobygger"}
KNOWN_VARIABLES = {*settings._VARIABLES, *connection._VARIABLES.values()}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def commands_of(service: dict[str, Any]) -> list[list[str]]:
    """Returns the arguments of each brobygger command that a service runs."""
    words: list[str] = service["command"]
    if "entrypoint" not in service:
        return [words]
    return [shlex.split(part)[1:] for part in words[0].split("&&")]


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
    environment: dict[str, str] = COMPOSE["services"]["kafka"]["environment"]
    names = {name: name.removeprefix("KAFKA_").replace("_", ".").lower() for name in environment}
    of_places = ("listeners", "log.dirs", "node.id", "quorum.voters")

    unlike = {
        name: value
        for name, value in environment.items()
        if not names[name].endswith(of_places) and broker_properties._ONE_MACHINE.get(names[name]) != value
    }

    assert unlike == {}


def test_the_parts_of_make_run_are_there_with_two_workers() -> None:
    words = [arguments[0] for _, arguments in ALL_COMMANDS]

    assert sorted(words) == ["deliver", "gateway", "programmes", "topics", "worker", "worker"]


def test_no_two_workers_share_an_instance_id() -> None:
    ids = [arguments[arguments.index("--instance-id") + 1] for _, arguments in ALL_COMMANDS if arguments[0] == "worker"]

    assert len(set(ids)) == len(ids)


def test_the_broker_is_the_release_that_the_embedded_one_is() -> None:
    from connectors.kafka.jars import KAFKA_VERSION  # noqa: PLC0415 - beside its one use

    assert COMPOSE["services"]["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_everything_that_stays_up_has_a_health_check() -> None:
    assert [name for name, service in COMPOSE["services"].items() if "healthcheck" not in service] == []


def test_the_image_runs_as_nobody_in_particular_and_installs_by_hash() -> None:
    assert re.search(r"^USER brobygger$", DOCKERFILE, re.MULTILINE)
    assert "--require-hashes -r requirements/run.txt" in DOCKERFILE


def test_the_image_leaves_the_health_check_to_who_knows_which_process_it_runs() -> None:
    assert "HEALTHCHECK" not in DOCKERFILE

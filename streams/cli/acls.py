"""``brobygger acls``: who may do what on the cluster, and the users that the rules are about."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connectors.kafka.access import add_rules, read_rules, remove_rules, set_new_password
from connectors.kafka.broker_security import MECHANISM, write_private
from streams.access import OPERATIONS, ROLES, AccessDifference, difference, user_of, wanted_rules
from streams.cli.printing import AsJson, print_document, print_line, print_table, refuse
from streams.instance import broker_of
from streams.provision import parties_of
from streams.settings import settings_of_process

if TYPE_CHECKING:
    from connectors.kafka.access import AccessRule

app = typer.Typer(
    help="Print, apply or check who may do what on the cluster; make users.", add_completion=False, no_args_is_help=True
)


@app.command("print")
def print_rules(
    as_script: Annotated[bool, typer.Option("--script", help="lines for Kafka's own kafka-acls.sh")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Prints the rules that isolate everyone; one JSON line a rule. Asks no broker."""
    rules = sorted(_wanted())
    if as_json:
        for rule in rules:
            print_line(asdict(rule))
    elif as_script:
        for rule in rules:
            typer.echo(rule.as_script())
    else:
        print_table("access rules", ("user", "may", "on", "named"), map(_cells, rules))


@app.command()
def apply(
    prune: Annotated[bool, typer.Option("--prune", help="remove what is surplus too, see `check`")] = False,  # noqa: FBT002
) -> None:
    """Adds the rules that the cluster lacks; repeating it changes nothing. Removes nothing unless told to prune."""
    connection = broker_of(settings_of_process())
    found = difference(_wanted(), read_rules(connection))
    add_rules(connection, found.missing)
    removed = found.surplus if prune else ()
    remove_rules(connection, removed)
    typer.echo(f"{len(found.missing)} rules added, {len(removed)} removed")


@app.command()
def check(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Compares the cluster's rules with those wanted; exit code 1 where they differ.

    Surplus is what `apply --prune` would remove: rules for our users, or on what is ours alone. Foreign are others'
    rules so wide that they reach us; whoever made them has to narrow them.
    """
    found = difference(_wanted(), read_rules(broker_of(settings_of_process())))
    if as_json:
        print_document({name: [asdict(rule) for rule in rules] for name, rules in _kinds_of(found).items()})
    elif found.none:
        typer.echo("the cluster's rules are those wanted")
    else:
        _print_difference(_kinds_of(found))
    if not found.none:
        raise typer.Exit(1)


@app.command()
def user(
    name: Annotated[str, typer.Argument(help=f"a programme's id, source-<id>, or: {', '.join((*ROLES, OPERATIONS))}")],
    password_file: Annotated[
        list[Path] | None, typer.Option(help="write the password here, do nothing where it is; for KAFKA_PASSWORD_FILE")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Makes a user, or gives it another password, and prints that once: the cluster keeps only what proves it."""
    settings = settings_of_process()
    parties = parties_of(settings)
    username = user_of(name, parties)
    if username is None:
        known = ", ".join((*parties.programmes, *(f"source-{one}" for one in parties.sources), *ROLES, OPERATIONS))
        raise refuse(f"nobody is named {name!r}; a user is made for one of: {known}")
    files = password_file or []
    if files and all(file.exists() for file in files):
        typer.echo(f"{username} keeps its password")
        return
    password = set_new_password(broker_of(settings), username)
    if files:
        for file in files:
            write_private(file, password)
        typer.echo(f"{username} has a new password")
    elif as_json:
        print_document({"username": username, "password": password, "sasl_mechanism": MECHANISM})
    else:
        typer.echo(f"KAFKA_USERNAME={username}\nKAFKA_PASSWORD={password}\nKAFKA_SASL_MECHANISM={MECHANISM}")


def _wanted() -> frozenset[AccessRule]:
    return wanted_rules(parties_of(settings_of_process()))


def _kinds_of(found: AccessDifference) -> dict[str, tuple[AccessRule, ...]]:
    return {"missing": found.missing, "surplus": found.surplus, "foreign": found.foreign}


def _print_difference(kinds: dict[str, tuple[AccessRule, ...]]) -> None:
    rows = [[kind, *_cells(rule)] for kind, rules in kinds.items() for rule in rules]
    print_table("the cluster's rules differ", ("what", "user", "may", "on", "named"), rows)


def _cells(rule: AccessRule) -> list[str]:
    """Returns a rule's cells for people; a name that others may follow ends in *."""
    may = rule.operation.lower() if rule.permission == "ALLOW" else f"not {rule.operation.lower()}"
    where = "" if rule.host == "*" else f" from {rule.host}"
    beginning = "*" if rule.pattern == "PREFIXED" else ""
    user = rule.principal.removeprefix("User:")
    return [user, may + where, rule.resource.lower().replace("_", " "), rule.name + beginning]

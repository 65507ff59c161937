"""The ``brobygger`` command. Each command's module is imported only when that command runs, so that help is quick.

Exit codes: 0 done, 1 the answer is no (nothing came, or it does not balance), 2 bad input or refused.
"""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class _Place(NamedTuple):
    """Where a command is: ``name`` in ``module`` is a function, or a Typer app of several commands."""

    module: str
    name: str
    help: str


_PLACES = {
    "up": _Place("up", "up", "Start broker, workers and gateway on this machine; Ctrl-C stops all of it."),
    "doctor": _Place("doctor", "doctor", "Tell whether the running instance is ready, and where it is."),
    "worker": _Place("worker", "worker", "Run one worker."),
    "gateway": _Place("gateway", "gateway", "Serve the doors over HTTP."),
    "deliver": _Place("deliver", "deliver", "Deliver handovers to webhooks, and notices to sources."),
    "simulate": _Place("simulate", "simulate", "Send the traffic of simulated regions, municipalities and programmes."),
    "scenario": _Place("scenario", "scenario", "Play one of the five arrangements, or all, and compare its figures."),
    "topics": _Place("topics", "app", "List or create the topics of the catalogue."),
    "programmes": _Place("programmes", "app", "List, check or apply the programme files."),
    "acls": _Place("acls", "app", "Print, apply or check who may do what on the cluster; make users."),
    "clients": _Place("clients", "app", "Create, list or revoke the gateway's clients."),
    "mailboxes": _Place("mailboxes", "app", "Set where sources get notices as CareCommunications."),
    "webhooks": _Place("webhooks", "app", "Register, pause or send again to the programmes' webhooks."),
    "translate": _Place("translate", "translate", "Print the events that messages become, sending nothing."),
    "ingest": _Place("ingest", "ingest", "Send files through the gateway's doors."),
    "watch": _Place("watch", "watch", "Take files from a source's folder, as SFTP fills it, and write receipts back."),
    "lists": _Place("lists", "app", "Propose a mapping for a municipality's list, or try a list without sending it."),
    "publish": _Place("publish", "publish", "Write events straight to a statement topic."),
    "subscribe": _Place("subscribe", "subscribe", "Print what a topic holds."),
    "pathway": _Place("pathway", "pathway", "Show a young person's pathway by youth id."),
    "needs": _Place("needs", "app", "List needs, and decide about one."),
    "reference": _Place("reference", "app", "Check reference data, and what messages name that it lacks."),
    "persons": _Place("persons", "app", "Link two numbers of one person, or undo it."),
    "keys": _Place("keys", "app", "List, rotate or retire the vault's keys."),
    "disclosures": _Place("disclosures", "app", "Check who was told what, or show it for one young person."),
    "erase": _Place("erase", "erase", "Erase a young person's identity, for good, and prove it."),
    "identity": _Place("identity", "app", "Make a programme's key pair; open a sealed identity."),
    "dead-letters": _Place("dead_letters", "app", "List, open or send again what could not be read."),
    "links": _Place("links", "app", "Make the signed link that a notice leads to."),
    "replay": _Place("replay", "replay", "Fold the intake log again and compare."),
    "reconcile": _Place("reconcile", "reconcile", "Check that nothing was lost and nothing came twice."),
}


class LazyGroup(TyperGroup):
    """The top of the command: knows every name and its help, and imports a command when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 Typer's signature; its type is private
        """Returns the names in the order in which help shows them."""
        return list(_PLACES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Returns a stand-in that has the command's name and help, which is all that a list of commands needs."""
        place = _PLACES.get(cmd_name)
        return None if place is None else TyperCommand(cmd_name, help=place.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Returns the command itself; ends with Typer's usage error where there is none of that name."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, None if name is None else _command(_PLACES[name]), rest

    def invoke(self, ctx: Any) -> Any:
        """Runs the command; an error that tells people what to do is printed without a traceback, exit code 2."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except _known_errors().KNOWN as error:  # evaluated only where something was raised, so costs nothing before
            typer.echo(f"brobygger: {_known_errors().explained(error)}", err=True)
            raise typer.Exit(2) from error


def _command(place: _Place) -> Any:
    found = getattr(importlib.import_module(f"streams.cli.{place.module}"), place.name)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False)
        alone.command()(found)
        found = alone
    return typer.main.get_command(found)


def _known_errors() -> Any:
    return importlib.import_module("streams.cli.known_errors")


app = typer.Typer(
    cls=LazyGroup,
    name="brobygger",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals may hold what is personal
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def brobygger() -> None:
    """Joins hospital and municipal events into one pathway per young person, and hands over in time."""

"""``brobygger webhooks``: where programmes receive their handovers over HTTPS."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from connectors.webhooks.deliverer import open_endpoints
from connectors.webhooks.deliveries import LastAttempts
from connectors.webhooks.endpoints import Endpoints, Registration
from connectors.webhooks.tables import ACTIVE, webhooks_database_of
from connectors.webhooks.urls import checked_url
from connectors.webhooks.waiting import Waiting
from schemas.refusals import RefusedError
from streams.cli.printing import (
    AsJson,
    complain,
    counted,
    print_document,
    print_entries,
    print_line,
    print_refusal,
    refuse,
)
from streams.provision import receiving_programmes
from streams.settings import settings_of_process

app = typer.Typer(
    help="Register, pause or send again to the programmes' webhooks.", add_completion=False, no_args_is_help=True
)
ProgrammeArgument = Annotated[str, typer.Argument(help="the programme's id")]


@app.command("set")
def set_endpoint(
    programme: ProgrammeArgument,
    url: Annotated[str, typer.Argument(help="https://…, on a public address")],
    only_new: Annotated[bool, typer.Option("--only-new", help="leave out what its topic holds already")] = False,  # noqa: FBT002
    new_secret: Annotated[bool, typer.Option("--new-secret", help="the former one signs too for a day")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Registers an endpoint, or changes its URL, and prints a new secret, once: it is kept encrypted."""
    settings, now = settings_of_process(), datetime.now(UTC)
    if programme not in receiving_programmes(settings):
        raise refuse("programme: no programme of this id receives handovers; `brobygger programmes list` shows them")
    try:
        checked = checked_url(url, loopback_allowed=settings.webhooks_loopback)
    except RefusedError as error:
        raise print_refusal(error.refusal) from error
    wanted = Registration(programme, checked, since=now if only_new else None, renews_secret=new_secret)
    endpoints = _endpoints()
    secret = endpoints.put(wanted, now)
    _warn_of_deliverer(checked, endpoints)
    if as_json:
        print_document({"programme": programme, "secret": secret})
    else:
        typer.echo(secret or f"{programme} keeps its secret")


@app.command("list")
def list_endpoints(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Lists every endpoint and what waits for it; one JSON line an endpoint, never a secret."""
    rows = _rows(datetime.now(UTC))
    if as_json:
        for row in rows:
            print_line(row)
        return
    print_entries("webhooks", ((f"{row['programme']}  {row['state']}", _details(row)) for row in rows))


@app.command()
def pause(programme: ProgrammeArgument) -> None:
    """Sends no more until `resume`. What has waited for three days is given up all the same, and escalated."""
    _endpoints_or_refused(lambda endpoints, now: endpoints.pause(programme, now))
    typer.echo(f"{programme} is paused")


@app.command()
def resume(programme: ProgrammeArgument) -> None:
    """Sends again, at once, whatever waits."""
    _endpoints_or_refused(lambda endpoints, now: endpoints.resume(programme, now))
    typer.echo(f"{programme} receives")


@app.command()
def remove(
    programme: ProgrammeArgument,
    give_up: Annotated[bool, typer.Option("--give-up", help="escalate the handovers of what waits")] = False,  # noqa: FBT002
) -> None:
    """Forgets an endpoint and its secret."""
    count = _endpoints_or_refused(lambda endpoints, now: endpoints.remove(programme, now, gives_up=give_up))
    typer.echo(f"{programme} is removed, {counted(count, 'record')} given up")


@app.command("send-again")
def send_again(
    programme: ProgrammeArgument,
    since: Annotated[datetime | None, typer.Option(help="what was first queued from then on, in UTC")] = None,
    handover: Annotated[str | None, typer.Option(help="one handover's id; all, unless given")] = None,
) -> None:
    """Sends what was delivered or given up once more, and what waits at once; each with its webhook-id as before.

    Reaches back 30 days.
    """
    moment = None if since is None else since.replace(tzinfo=since.tzinfo or UTC)
    count = _endpoints_or_refused(lambda endpoints, now: endpoints.send_again(programme, now, moment, handover))
    typer.echo(f"{count} records are sent to {programme}")
    if count == 0:
        raise typer.Exit(1)


def _warn_of_deliverer(url: str, endpoints: Endpoints) -> None:
    """Says where the deliverer that was started last would refuse an address that this command's settings allow."""
    allowed = endpoints.deliverer_allows_loopback()
    if allowed is None:
        return
    try:
        checked_url(url, loopback_allowed=allowed)
    except RefusedError as error:
        complain(
            f"the deliverer that was started last refuses this address ({error.refusal.code}: {error.refusal.rule}): "
            "nothing is delivered; start it with BROBYGGER_WEBHOOKS_LOOPBACK=true too, or give another address"
        )


def _details(row: dict[str, Any]) -> list[dict[str, object]]:
    error = row["last_error"] and f"{row['last_error']} at {row['last_error_at']}"
    return [
        {"url": row["url"]},
        {"paused by": row["reason"], "waiting": row["waiting"], "failing": row["failing"], "oldest": row["oldest_at"]},
        {"last error": error, "next attempt": row["next_attempt_at"], "last delivered": row["last_delivered_at"]},
    ]


def _endpoints() -> Endpoints:
    return open_endpoints(settings_of_process().data_folder)


def _endpoints_or_refused(work: Any) -> Any:
    try:
        return work(_endpoints(), datetime.now(UTC))
    except RefusedError as error:
        raise print_refusal(error.refusal) from error


def _rows(now: datetime) -> list[dict[str, Any]]:
    waiting = Waiting(webhooks_database_of(settings_of_process().data_folder))
    backlogs, last = {one.programme: one for one in waiting.backlogs()}, waiting.last_attempts()
    rows = []
    for endpoint in _endpoints().listed(now):
        row = {name: value for name, value in asdict(endpoint).items() if name != "secrets"}
        backlog = backlogs.get(endpoint.programme)
        row |= {"waiting": backlog.waiting if backlog else 0, "failing": backlog.failing if backlog else 0}
        row["oldest_at"] = backlog and backlog.oldest_at
        known = last.get(endpoint.programme, LastAttempts())
        row |= {"last_error": known.error, "last_error_at": known.error_at, "last_delivered_at": known.delivered_at}
        row["next_attempt_at"] = backlog.next_attempt_at if backlog and endpoint.state == ACTIVE else None
        rows.append({name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()})
    return rows

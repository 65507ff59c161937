"""``brobygger webhooks``: where programmes receive their handovers over HTTPS."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from connectors.webhooks.deliverer import open_endpoints
from connectors.webhooks.endpoints import Endpoints, Registration
from connectors.webhooks.tables import open_database_of
from connectors.webhooks.urls import checked_url
from connectors.webhooks.waiting import Waiting
from schemas.refusals import RefusedError
from streams.cli.printing import AsJson, counted, print_document, print_line, print_table, refuse
from streams.provision import receiving_programmes
from streams.settings import settings_of_process

app = typer.Typer(help="Register, pause or send again to the programmes' webhooks.", no_args_is_help=True)
Programme = Annotated[str, typer.Argument(help="the programme's id")]


@app.command("set")
def set_endpoint(
    programme: Programme,
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
        raise _refused(error) from error
    wanted = Registration(programme, checked, since=now if only_new else None, renews_secret=new_secret)
    secret = _endpoints().put(wanted, now)
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
    columns = ("programme", "url", "state", "reason", "waiting", "failing", "oldest_at")
    print_table("webhooks", columns, ([row[column] for column in columns] for row in rows))


@app.command()
def pause(programme: Programme) -> None:
    """Sends no more until `resume`. What has waited for three days is given up all the same, and escalated."""
    _endpoints_or_refused(lambda endpoints, now: endpoints.pause(programme, now))
    typer.echo(f"{programme} is paused")


@app.command()
def resume(programme: Programme) -> None:
    """Sends again, at once, whatever waits."""
    _endpoints_or_refused(lambda endpoints, now: endpoints.resume(programme, now))
    typer.echo(f"{programme} receives")


@app.command()
def remove(
    programme: Programme,
    give_up: Annotated[bool, typer.Option("--give-up", help="escalate the handovers of what waits")] = False,  # noqa: FBT002
) -> None:
    """Forgets an endpoint and its secret."""
    count = _endpoints_or_refused(lambda endpoints, now: endpoints.remove(programme, now, gives_up=give_up))
    typer.echo(f"{programme} is removed, {counted(count, 'record')} given up")


@app.command("send-again")
def send_again(
    programme: Programme,
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


def _endpoints() -> Endpoints:
    return open_endpoints(settings_of_process().data_folder)


def _endpoints_or_refused(work: Any) -> Any:
    try:
        return work(_endpoints(), datetime.now(UTC))
    except RefusedError as error:
        raise _refused(error) from error


def _refused(error: RefusedError) -> typer.Exit:
    refusal = error.refusal
    return refuse(f"{refusal.field}: {refusal.rule}; {refusal.help}")


def _rows(now: datetime) -> list[dict[str, Any]]:
    waiting = Waiting(open_database_of(settings_of_process().data_folder))
    backlogs = {one.programme: one for one in waiting.backlogs()}
    rows = []
    for endpoint in _endpoints().listed(now):
        row = {name: value for name, value in asdict(endpoint).items() if name != "secrets"}
        backlog = backlogs.get(endpoint.programme)
        row |= {"waiting": backlog.waiting if backlog else 0, "failing": backlog.failing if backlog else 0}
        row["oldest_at"] = backlog and backlog.oldest_at
        rows.append({name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()})
    return rows

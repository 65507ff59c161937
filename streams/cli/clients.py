"""``brobygger clients``: who may send to the gateway and read from it."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, assert_never

import typer
from pydantic import ValidationError

from connectors.gateway.clients.clients import (
    NO_INDIVIDUAL_PATHWAY,
    Client,
    ClientKind,
    Clients,
    NewClient,
    Role,
    open_clients,
)
from schemas.programmes import ProgrammeFile, load_programmes
from schemas.reference import load_reference
from schemas.refusals import RefusedError
from schemas.rules import first_refusal_of
from streams.cli.printing import AsJson, print_document, print_line, print_refusal, print_table, refuse
from streams.settings import settings_of_process

app = typer.Typer(help="Create, list or revoke the gateway's clients.", add_completion=False, no_args_is_help=True)


@app.command()
def create(  # noqa: PLR0913, PLR0917 one parameter an option of the command
    kind: Annotated[ClientKind, typer.Argument(help="what the client speaks for")],
    name: Annotated[str, typer.Argument(help="the one source, the programme's id, or the owner as in owners.toml")],
    data_controller: Annotated[str | None, typer.Option(help="who answers for a source's data (GDPR art. 4)")] = None,
    legal_basis: Annotated[str | None, typer.Option(help="on which a source sends")] = None,
    role: Annotated[
        list[Role] | None,
        typer.Option(
            help="one of what it may do, may be repeated; unless given all that its kind can, but for persons"
        ),
    ] = None,
    sender: Annotated[list[str] | None, typer.Option(help="SOR code or location number for which it may send")] = None,
    any_sender: Annotated[bool, typer.Option("--any-sender", help="a hub: MedCom messages of everybody")] = False,  # noqa: FBT002
    site: Annotated[str | None, typer.Option(help="the one site of a programme whose handovers it sees")] = None,
    kafka: Annotated[str | None, typer.Option(help="an id for a source's own topics, to state over Kafka too")] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Creates a client and prints its token, once: only the token's hash is kept."""
    _refuse_unknown(kind, name, site)
    fields: dict[str, Any] = {
        "kind": kind,
        "name": name,
        "data_controller": data_controller,
        "legal_basis": legal_basis,
        "roles": role or None,
        "senders": sender or (),
        "any_sender": any_sender,
        "site": site,
        "kafka_id": kafka,
    }
    try:
        token = _clients().create(NewClient.model_validate(fields), datetime.now(UTC))
    except ValidationError as error:
        raise print_refusal(first_refusal_of(error, "correct it")) from error
    except RefusedError as error:
        raise print_refusal(error.refusal) from error
    if as_json:
        print_document({"client_id": token.partition(".")[0], "token": token})
    else:
        typer.echo(token)


@app.command("list")
def list_clients(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Lists every client, the revoked ones too; one JSON line a client, never a token."""
    rows = [_row(client) for client in _clients().listed()]
    if as_json:
        for row in rows:
            print_line(row)
        return
    columns = (
        "client_id",
        "kind",
        "name",
        "site",
        "roles",
        "data_controller",
        "legal_basis",
        "created_at",
        "revoked_at",
    )
    print_table("clients", columns, ([_cell(row[column]) for column in columns] for row in rows))


@app.command()
def revoke(client_id: Annotated[str, typer.Argument(help="as `clients list` shows it")]) -> None:
    """Revokes a client's token from its next request on."""
    if not _clients().revoke(client_id, datetime.now(UTC)):
        raise refuse(f"no valid client has the id {client_id}; `brobygger clients list` shows them")
    typer.echo(f"{client_id} is revoked")


def _clients() -> Clients:
    return open_clients(settings_of_process().ledger_database)


def _refuse_unknown(kind: ClientKind, name: str, site: str | None) -> None:
    settings = settings_of_process()
    match kind:
        case ClientKind.OWNER:
            reference = load_reference(settings.reference_folder)
            if name not in {reference.default_owner, *reference.owners.values()}:
                raise refuse("name: an owner is one of reference/owners.toml; copy its name from there")
        case ClientKind.PROGRAMME:
            known = {one.id: one for one in load_programmes(settings.programmes_folder)}
            if name not in known and name.lower() != NO_INDIVIDUAL_PATHWAY:
                raise refuse(
                    f"name: a programme is one of: {', '.join(sorted(known))}; add its file first, or correct it"
                )
            if site is not None and name in known:
                _refuse_unknown_site(known[name], site)
        case ClientKind.SOURCE:
            pass
        case _:
            assert_never(kind)


def _refuse_unknown_site(programme: ProgrammeFile, site: str) -> None:
    known = [one.id for one in programme.sites]
    if programme.receiver == "home_municipality":
        reference = load_reference(settings_of_process().reference_folder)
        known = [entry.code for entry in reference.municipalities]
    if site not in known:
        shown = "a municipality's code, e.g. 0217" if programme.receiver == "home_municipality" else ", ".join(known)
        raise refuse(f"site: a site of {programme.id} is one of: {shown or 'none, it has no sites'}; correct it")


def _row(client: Client) -> dict[str, Any]:
    row = asdict(client)
    times = {name: row[name] and row[name].isoformat() for name in ("created_at", "revoked_at")}
    return row | times | {"roles": sorted(role.value for role in client.roles), "senders": sorted(client.senders)}


def _cell(value: object) -> object:
    return ", ".join(value) if isinstance(value, list) else value

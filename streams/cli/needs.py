"""``brobygger needs``: what waits for a person, and what that person decides."""

from datetime import UTC, datetime
from typing import Annotated, Any, assert_never
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import typer
from pydantic import ValidationError

from connectors.pages.interventions import Decision, intervention_of
from connectors.vault.keys import pseudonym_roots
from connectors.vault.pseudonyms import Pseudonyms
from schemas.codes import InterventionAction
from schemas.rules import first_refusal_of
from streams.cli.printing import AsJson, complain, print_document, print_line, refuse, wrapped_details
from streams.instance import broker_of
from streams.log.deciding import Done, Effect, NotDone, UnderWay, publish_decision
from streams.log.told_handovers import find_told
from streams.log.views import CLOSED, NeedOfPathway, needs_of
from streams.settings import Settings, settings_of_process

_COPENHAGEN = ZoneInfo("Europe/Copenhagen")
app = typer.Typer(help="List needs, and decide about one.", add_completion=False, no_args_is_help=True)
NeedId = Annotated[UUID, typer.Argument(help="as `needs list` shows it")]
Actor = Annotated[str, typer.Option(help="who decides, by an id such as municipality-0217: it stays in the log")]
RoleOption = Annotated[str, typer.Option(help="in what role, e.g. owner or operations")]
Reason = Annotated[str | None, typer.Option(help="why, as a code, e.g. moved_away: small letters, digits and _")]


@app.command("list")
def list_needs(
    owner: Annotated[str | None, typer.Option(help="only this owner's")] = None,
    state: Annotated[str | None, typer.Option(help="only this state; all but closed, unless given")] = None,
    handover: Annotated[
        UUID | None, typer.Option(help="only the need behind a handover, by the id that its programme knows it by")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Lists needs with their state, clock and what did not fit; never who they are about. One JSON line a need."""
    settings = settings_of_process()
    need_id = None if handover is None else _need_behind(settings, handover)
    found = [
        row_of(one)
        for one in needs_of(broker_of(settings), settings.partitions)
        if owner in (None, one.need.owner)
        and (one.need.state == state if state else one.need.state != CLOSED or need_id is not None)
        and need_id in (None, str(one.need.need_id))
    ]
    found.sort(key=lambda row: (row["clock_at"] or "9", row["need_id"]))
    if as_json:
        for row in found:
            print_line(row)
        return
    typer.echo(f"needs: {len(found)}; times are Danish")
    for row in found:
        typer.echo("\n" + "\n".join(need_lines(row)))


def _need_behind(settings: Settings, handover: UUID) -> str:
    pseudonyms = Pseudonyms(pseudonym_roots(settings.keys_folder))
    told = find_told(broker_of(settings), pseudonyms, str(handover))
    if told is None:
        raise refuse(
            f"no programme was told of the handover {handover}; ask for the subject of its record, or the end of "
            "the address of its page"
        )
    return told.need_id


@app.command()
def assign(need_id: NeedId, actor: Actor, role: RoleOption, reason: Reason = None, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Makes the actor the need's owner."""
    _act(need_id, as_json, action=InterventionAction.ASSIGNED, actor=actor, role=role, reason_code=reason)


@app.command()
def offer(  # noqa: PLR0913, PLR0917 one parameter an option of the command
    need_id: NeedId,
    actor: Actor,
    role: RoleOption,
    programme: Annotated[str, typer.Option(help="the programme's id")],
    reason: Reason = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Offers the need to a programme; an offer under way to another is withdrawn."""
    _act(
        need_id,
        as_json,
        action=InterventionAction.OFFERED,
        actor=actor,
        role=role,
        programme=programme,
        reason_code=reason,
    )


@app.command()
def reopen(need_id: NeedId, actor: Actor, role: RoleOption, reason: Reason = None, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Opens the need again, or tries every programme once more."""
    _act(need_id, as_json, action=InterventionAction.REOPENED, actor=actor, role=role, reason_code=reason)


@app.command("ask-consent")
def ask_consent(
    need_id: NeedId,
    actor: Actor,
    role: RoleOption,
    reason: Reason = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Asks the need's source for consent once more, with a fresh clock, where the need lacks it."""
    _act(need_id, as_json, action=InterventionAction.CONSENT_ASKED, actor=actor, role=role, reason_code=reason)


@app.command()
def answer(need_id: NeedId, actor: Actor, role: RoleOption, reason: Reason = None, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Says that a reminder was seen to: the next one comes as late as any does, one of a receipt not at all."""
    _act(need_id, as_json, action=InterventionAction.ESCALATION_ANSWERED, actor=actor, role=role, reason_code=reason)


@app.command()
def close(
    need_id: NeedId,
    actor: Actor,
    role: RoleOption,
    reason: Annotated[str, typer.Option(help="why, as a code, e.g. moved_away: small letters, digits and _")],
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Closes the need; that always has a reason."""
    _act(need_id, as_json, action=InterventionAction.CLOSED, actor=actor, role=role, reason_code=reason)


def _act(need_id: UUID, as_json: bool, **decided: Any) -> None:  # noqa: FBT001
    decision = _decision(decided)
    settings = settings_of_process()
    connection = broker_of(settings)
    about = next((one for one in needs_of(connection, settings.partitions) if one.need.need_id == need_id), None)
    if about is None:
        raise refuse(f"no need has the id {need_id}; `brobygger needs list --state closed` shows the closed ones too")
    youth_id = about.pathway.youth_id
    intervention = intervention_of(decision, youth_id, about.need.need_id, uuid4(), datetime.now(UTC))
    effect = publish_decision(connection, intervention, about.need, settings.partitions)
    _tell(need_id, effect, as_json)


def _decision(decided: dict[str, Any]) -> Decision:
    try:
        return Decision.model_validate(decided)
    except ValidationError as error:
        refusal = first_refusal_of(error, "correct it")
        if refusal.field == "reason_code":
            raise refuse("--reason: a code is at most 64 small letters, digits and _; correct it") from error
        raise refuse(f"--{refusal.field}: {refusal.rule}; {refusal.help}") from error


def _tell(need_id: UUID, effect: Effect, as_json: bool) -> None:  # noqa: FBT001
    """Prints what came of a decision; ends with exit code 1 where it can't be done."""
    match effect:
        case Done(need):
            answer: dict[str, Any] = {"outcome": "done", "state": need.state, "owner": need.owner}
        case NotDone(reason):
            answer = {"outcome": "not_done", "reason_code": reason}
        case UnderWay():
            answer = {"outcome": "under_way"}
        case _:
            assert_never(effect)
    if as_json:
        print_document({"need_id": str(need_id)} | answer)
    elif isinstance(effect, UnderWay):
        typer.echo("the decision is taken down; its effect does not show yet: `brobygger needs list` will show it")
    elif isinstance(effect, Done):
        typer.echo(f"need {need_id} is now {effect.need.state}, owner {effect.need.owner}")
    else:
        complain(f"this can't be done: {effect.reason}; what each act needs: docs/specification/rules.md, M1 to M11")
    if isinstance(effect, NotDone):
        raise typer.Exit(1)


def need_lines(row: dict[str, Any]) -> list[str]:
    """Returns a need's lines for a terminal of 80 columns: its id whole on the first, details folded under it."""
    fitting = ", ".join(f"{one['programme']} ({one['outcome']})" for one in row["nothing_fitted"])
    waits = {"since": _danish(row["since"]), "until": _danish(row["clock_at"]), "programme": row["programme"]}
    about = {"owner": row["owner"], "age": row["age_band"], "municipality": row["municipality"]}
    why = {"raised by": row["trigger_reason"] or row["trigger"], "reason": row["reason_code"]}
    details = (waits, about, why | {"did not fit:": fitting})
    return [
        f"{row['need_id']}  {row['state']}  {row['kind']}",
        *(line for one in details for line in wrapped_details(one)),
    ]


def _danish(time: str | None) -> str | None:
    return f"{datetime.fromisoformat(time).astimezone(_COPENHAGEN):%Y-%m-%d %H:%M}" if time else None


def row_of(one: NeedOfPathway) -> dict[str, Any]:
    """Returns a need as ``--json`` prints it."""
    need = one.need.model_dump(mode="json")
    return {
        "need_id": need["need_id"],
        "kind": need["kind"],
        "trigger": need["trigger"],
        "trigger_reason": need["trigger_reason"],
        "state": need["state"],
        "since": need["since"],
        "clock_at": need["clock_at"],
        "owner": need["owner"],
        "programme": need["programme"],
        "reason_code": need["reason_code"],
        "age_band": one.pathway.age_band,
        "municipality": one.pathway.municipality,
        "nothing_fitted": [option for option in need["options"] if option["outcome"] != "offered"],
    }

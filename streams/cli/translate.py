"""``brobygger translate``: the events that messages become, printed and sent nowhere."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, assert_never

import typer
from rich.console import Console

from connectors.medcom_edi import outcomes as letters
from connectors.medcom_edi.envelopes import ContentKind, unwrap
from connectors.medcom_edi.fields import Syntax
from connectors.medcom_edi.translate import EdiMappingContext as LettersDoor
from connectors.medcom_edi.translate import translate_interchange as translate_letters
from connectors.medcom_fhir.decoding import BODY_BYTES_MAX
from connectors.medcom_fhir.door import FhirMappingContext
from connectors.medcom_fhir.organisations import Organisation
from connectors.medcom_fhir.outcomes import (
    FhirOutcome,
    FhirOutOfScope,
    FhirRefused,
    FhirTranslation,
    ReceivedAcknowledgement,
)
from connectors.medcom_fhir.translate import translate_bundle as translate_message
from connectors.vault.store import RunVault
from schemas.events import EventHeader
from schemas.reference import load_reference
from schemas.refusals import RefusedError
from schemas.topics import kafka_name
from streams.cli.printing import REFUSED, AsJson, complain, print_line
from streams.settings import Settings, settings_of_process

# Wider than any programme's ages: what is asked here is what a message says, not whom a programme takes.
_AGES = range(150)
_SYNTAXES = {ContentKind.EDIFACT: Syntax.EDIFACT, ContentKind.OIOXML: Syntax.OIOXML}
_Line = dict[str, Any]


def translate(
    files: Annotated[list[Path], typer.Argument(help="FHIR, EDIFACT or OIOXML, in envelopes or without")],
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Prints the events that messages become, or why they are refused (exit code 2).

    What a file holds is known by its content. Youth ids are made with a key of this run alone: the same person has the
    same id in all of a run's files. With --json, one line an event: {"topic", "key", "event"}; or {"refused"},
    {"out_of_scope"}, {"acknowledgement"}, {"receipt"}. Where several files are given each line also names its "file".
    """
    door = _door(settings_of_process())
    refused = False
    for file in files:
        content = _content(file)
        if content is None:
            refused = True
            continue
        for line in lines_of(content, door, datetime.now(UTC)):
            refused = refused or "refused" in line
            named = {"file": str(file)} if len(files) > 1 else {}
            (print_line if as_json else _print)(named | line)
    if refused:
        raise typer.Exit(REFUSED)


def lines_of(body: bytes, door: FhirMappingContext, at: datetime) -> Iterator[_Line]:
    """Yields what is printed of one file."""
    try:
        unwrapped = unwrap(body)
    except RefusedError as error:
        yield {"refused": error.refusal.as_dict()}
        return
    if unwrapped.content in {ContentKind.FHIR_JSON, ContentKind.FHIR_XML}:
        yield from _lines_of_message(translate_message(unwrapped.message, door, at))
        return
    letters_door = LettersDoor(door.identities.youth_id, door.reference, door.ages, door.ahead_max)
    outcome = translate_letters(unwrapped.message, _SYNTAXES[unwrapped.content], letters_door, at)
    if isinstance(outcome, letters.Unreadable):
        yield {"refused": outcome.refusal.as_dict()}
        return
    for letter in outcome.letters:
        yield from _lines_of_letter(letter)


def _lines_of_message(outcome: FhirOutcome) -> Iterator[_Line]:
    match outcome:
        case FhirTranslation():
            yield from (_line_of(topic, event) for topic, event in outcome.events)
        case FhirRefused():
            yield {"refused": outcome.refusal.as_dict()}
        case FhirOutOfScope():
            yield {"out_of_scope": {"letter_id": str(outcome.letter_id), "reason": outcome.reason}}
        case ReceivedAcknowledgement():
            yield {"acknowledgement": asdict(outcome)}
        case _:
            assert_never(outcome)


def _lines_of_letter(outcome: letters.LetterOutcome) -> Iterator[_Line]:
    match outcome:
        case letters.EdiTranslation():
            yield from (_line_of(topic, event) for topic, event in outcome.events)
        case letters.EdiRefused():
            yield {"refused": outcome.refusal.as_dict()}
        case letters.EdiOutOfScope():
            yield {"out_of_scope": {"letter_id": str(outcome.letter_id), "reason": outcome.reason}}
        case letters.ReceivedReceipt():
            yield {"receipt": asdict(outcome)}
        case _:
            assert_never(outcome)


def _line_of(topic: str, event: EventHeader) -> _Line:
    return {"topic": kafka_name(topic), "key": event.youth_id, "event": event.model_dump(mode="json")}


def _door(settings: Settings) -> FhirMappingContext:
    reference = load_reference(settings.reference_folder)
    own = Organisation(reference.service.sor, reference.service.gln)
    return FhirMappingContext(RunVault(), reference, _AGES, own)


def _content(file: Path) -> bytes | None:
    """Returns as much of a file as tells whether it is too large, or None, and says so, where it can't be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(BODY_BYTES_MAX + 1)
    except OSError as error:
        complain(f"{file} can't be read: {error.strerror}; check the path and its rights")
        return None


def _print(line: _Line) -> None:
    """Prints for people: what is not set is left out."""
    event = {name: value for name, value in line.get("event", {}).items() if value not in (None, [], False)}
    shown = {name: value for name, value in line.items() if name not in ("event", "topic", "key")}
    heading = f"{line['topic']}  key {line['key']}" if "topic" in line else ", ".join(shown)
    console = Console()
    console.print(heading, style="bold", highlight=False)
    console.print_json(json.dumps(event or shown, ensure_ascii=False))

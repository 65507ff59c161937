"""``brobygger replay``: folds the intake log again, and compares or exports."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from connectors.vault.keys import pseudonym_roots
from schemas.programmes import load_programmes
from schemas.reference import load_reference
from streams.agents.join_pathways import INTAKE
from streams.catalogue import Rules
from streams.cli.printing import AsJson, complain, counted, print_document, print_table, refuse
from streams.instance import broker_of
from streams.log.comparison import Finding
from streams.log.copy import read_copy, write_copy
from streams.log.live import take_snapshot
from streams.log.other_programmes import OtherProgrammes, differing_handovers
from streams.log.replaying import Replayed, replay_snapshot
from streams.log.snapshot import Snapshot, partitions_of
from streams.settings import Settings, settings_of_process

_FINDINGS_SHOWN_MAX = 100


def replay(
    copy: Annotated[Path | None, typer.Option("--from", help="a copy of the log; the cluster unless given")] = None,
    export: Annotated[Path | None, typer.Option(help="write a copy of the log to this file, no more")] = None,
    programmes: Annotated[Path | None, typer.Option(help="another programmes folder: what would differ")] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Folds the intake log from its start and compares all that came of it, byte for byte.

    Exit code 1 where handovers, notices, views or states differ from what is on the topics. With --programmes
    nothing is compared: the needs whose handovers would differ are printed, and the exit code is 0. A copy is a
    file of JSON lines; it holds birth dates under youth ids, so keep it as you keep the log.
    """
    settings = settings_of_process()
    snapshot = snapshot_of(settings, copy)
    if export is not None:
        _export(snapshot, export, as_json=as_json)
    elif programmes is not None:
        _print_differing(settings, snapshot, programmes, as_json=as_json)
    else:
        replayed = replayed_with_progress(settings, snapshot)
        _print_findings(snapshot, replayed, as_json=as_json)


def snapshot_of(settings: Settings, copy: Path | None) -> Snapshot:
    """Returns the log as a copy holds it, or as the cluster has it now."""
    return take_snapshot(broker_of(settings)) if copy is None else read_copy(copy)


def replayed_with_progress(settings: Settings, snapshot: Snapshot) -> list[Replayed]:
    """Replays every partition with a bar on standard error."""
    roots = pseudonym_roots(settings.keys_folder)
    with _progress() as progress:
        task = progress.add_task("folding", total=len(partitions_of(snapshot, INTAKE)))
        return replay_snapshot(snapshot, roots, lambda: progress.advance(task))


def print_findings(findings: Sequence[Finding], remarks: Sequence[str]) -> None:
    """Prints for people what does not agree; at most a hundred rows of it."""
    for remark in remarks:
        complain(remark)
    print_table(f"{len(findings)} findings", Finding._fields, findings[:_FINDINGS_SHOWN_MAX])
    if len(findings) > _FINDINGS_SHOWN_MAX:
        complain(f"{len(findings) - _FINDINGS_SHOWN_MAX} more; --json prints all")


def _progress() -> Progress:
    return Progress(console=Console(stderr=True), transient=True)


def _export(snapshot: Snapshot, path: Path, *, as_json: bool) -> None:
    try:
        with _progress() as progress:
            task = progress.add_task("copying", total=len(snapshot.extent.begins))
            records = write_copy(snapshot, path, lambda _topic: progress.advance(task))
    except OSError as error:
        raise refuse(f"{path} can't be written: {error.strerror}; choose another place") from error
    if as_json:
        print_document({"exported": str(path), "records": records})
    else:
        typer.echo(f"{counted(records, 'record')} written to {path}")


def _print_differing(settings: Settings, snapshot: Snapshot, folder: Path, *, as_json: bool) -> None:
    rules = Rules(settings.settle, settings.calendar_allowed)
    other = OtherProgrammes(load_programmes(folder), load_reference(settings.reference_folder), rules)
    with _progress() as progress:
        task = progress.add_task("folding twice", total=len(partitions_of(snapshot, INTAKE)))
        differing = differing_handovers(
            snapshot, pseudonym_roots(settings.keys_folder), other, lambda: progress.advance(task)
        )
    if as_json:
        print_document({"differing": [one._asdict() for one in differing]})
        return
    rows = ((one.need_id, "\n".join(one.in_log), "\n".join(one.under_other)) for one in differing)
    print_table(f"{len(differing)} needs differ", ("need", "in the log", f"under {folder}"), rows)


def _print_findings(snapshot: Snapshot, replayed: list[Replayed], *, as_json: bool) -> None:
    findings = [finding for one in replayed for finding in one.findings]
    identical = not findings and not snapshot.extent.findings
    records = sum(one.records for one in replayed)
    if as_json:
        print_document(
            {
                "identical": identical,
                "records": records,
                "partitions": len(replayed),
                "differences": [finding._asdict() for finding in findings],
                "remarks": snapshot.extent.findings,
            }
        )
    elif identical:
        outputs = sum(found for one in replayed for found, _ in one.outputs.values())
        typer.echo(f"identical: {records} records of {len(replayed)} partitions give the {outputs} outputs found")
    else:
        print_findings(findings, snapshot.extent.findings)
    if not identical:
        raise typer.Exit(1)

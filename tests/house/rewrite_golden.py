"""Rewrites every golden file with what the code says now; review reads the difference: ``make golden``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from schemas.asyncapi import main
from tests.house.examples import rewrite_cases, rewrite_records
from tests.unit.medcom_edi import builders as letters
from tests.unit.medcom_fhir.builders import GOLDEN, NOTIFICATIONS, a_message, translation_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from schemas.events import Envelope


def rewrite_medcom() -> None:
    """Rewrites the events that each MedCom message is translated to."""
    for name in NOTIFICATIONS:
        _write(GOLDEN / f"{name}.expected.jsonl", translation_of(a_message(name)).events)
    for name in letters.LETTERS:
        events = letters.translation_of(letters.a_letter(name)).events
        _write(letters.GOLDEN / f"{name}.expected.jsonl", events)


def _write(path: Path, events: Iterable[tuple[str, Envelope]]) -> None:
    rows = [{"topic": topic, "key": event.youth_id, "event": event.model_dump(mode="json")} for topic, event in events]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    rewrite_medcom()
    rewrite_cases()
    rewrite_records()
    sys.exit(main(["write"]))

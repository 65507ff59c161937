"""Rewrites every golden file with what the code says now; review reads the difference: ``make golden``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from schemas.asyncapi import main
from tests.house.examples import rewrite_cases, rewrite_records
from tests.unit.medcom_edi import builders as letters
from tests.unit.medcom_fhir.builders import GOLDEN, PUBLISHED, a_message, outcome_of, rows_of
from tests.unit.municipal import builders as lists

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def rewrite_medcom() -> None:
    """Rewrites what each MedCom message is translated to."""
    for name in PUBLISHED:
        _write(GOLDEN / f"{name}.expected.jsonl", rows_of(outcome_of(a_message(name))))
    for name in letters.LETTERS:
        events = letters.translation_of(letters.a_letter(name)).events
        rows = [{"topic": topic, "key": one.youth_id, "event": one.model_dump(mode="json")} for topic, one in events]
        _write(letters.GOLDEN / f"{name}.expected.jsonl", rows)


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def rewrite_municipal() -> None:
    """Rewrites what each row of the lists becomes."""
    for name in lists.EXAMPLES:
        text = json.dumps(lists.said_of(lists.an_example(name)), ensure_ascii=False, indent=2) + "\n"
        (lists.GOLDEN / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    rewrite_medcom()
    rewrite_municipal()
    rewrite_cases()
    rewrite_records()
    sys.exit(main(["write"]))

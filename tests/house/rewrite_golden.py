"""Rewrites every golden file with what the code says now; review reads the difference: ``make golden``."""

from __future__ import annotations

import json
import sys

from schemas.asyncapi import main
from tests.house.examples import rewrite_cases, rewrite_records
from tests.unit.medcom_fhir.builders import GOLDEN, NOTIFICATIONS, a_message, translation_of


def rewrite_medcom_fhir() -> None:
    """Rewrites the events that each MedCom message is translated to."""
    for name in NOTIFICATIONS:
        events = translation_of(a_message(name)).events
        rows = [
            {"topic": topic, "key": event.youth_id, "event": event.model_dump(mode="json")} for topic, event in events
        ]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (GOLDEN / f"{name}.expected.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    rewrite_medcom_fhir()
    rewrite_cases()
    rewrite_records()
    sys.exit(main(["write"]))

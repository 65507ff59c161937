"""What ``make bench-pathways`` does runs, at a small size."""

from __future__ import annotations

import io

from rich.console import Console

from benchmarks.pathways import fold_measured


def test_the_job_that_is_measured_folds_every_event_and_says_what_follows() -> None:
    told = io.StringIO()

    assert fold_measured(20, 300, Console(file=told)) > 0
    assert "20 youths" in told.getvalue()
    assert " 0 records out" not in told.getvalue()

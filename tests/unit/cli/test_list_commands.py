"""``brobygger lists`` and ``brobygger ingest --list``, as far as they need no broker."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from connectors.municipal.mapping import load_mapping
from streams.cli.main import app
from streams.cli.printing import counted

if TYPE_CHECKING:
    from collections.abc import Callable

LISTS = Path(__file__).parents[2] / "messages" / "municipal"
ODD = LISTS / "helsingoer-forloeb.csv"
MAPPING = LISTS / "helsingoer-forloeb.toml"
SAID = ("--set", "programme=stime", "--set", "person.municipality=0217")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Returns a runner of commands in a data folder of their own, with no instance running."""
    monkeypatch.setenv("BROBYGGER_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Returns the odd spreadsheet with one row that can't be right."""
    path = tmp_path / "liste.csv"
    path.write_bytes(ODD.read_bytes().replace(b"14.08.26", b"31.02.26"))
    return path


def test_a_proposal_is_saved_and_the_odd_spreadsheet_is_right_by_it(run: Callable[..., Result], tmp_path: Path) -> None:
    saved = run("lists", "guess", ODD, *SAID, "--save", "forloeb")

    checked = run("lists", "check", ODD, "--list", "forloeb", "--json")

    assert saved.exit_code == checked.exit_code == 0, saved.output + checked.output
    assert load_mapping(tmp_path / "data" / "lists" / "forloeb.toml").constants["programme"] == "stime"
    report = json.loads(checked.stdout)
    assert {name: report[name] for name in ("rows", "valid", "refused", "ignored")} == {
        "rows": 4,
        "valid": 4,
        "refused": 0,
        "ignored": 2,
    }


def test_a_mapping_that_is_there_is_never_written_over(run: Callable[..., Result]) -> None:
    run("lists", "guess", ODD, *SAID, "--save", "forloeb")

    assert run("lists", "guess", ODD, "--save", "forloeb").exit_code == 2


def test_a_proposal_that_is_not_saved_is_printed(run: Callable[..., Result]) -> None:
    assert '[codes."Status"]' in run("lists", "guess", ODD).stdout


def test_a_check_names_row_column_and_rule_and_repeats_no_value(run: Callable[..., Result], broken: Path) -> None:
    checked = run("lists", "check", broken, "--mapping", MAPPING)

    assert checked.exit_code == 2
    assert "impossible_date" in checked.output
    assert "Startdato" in checked.output
    assert "31.02.26" not in checked.output
    assert "203088882" not in checked.output


def test_a_check_has_the_rules_of_the_statements_own_form_too(run: Callable[..., Result], broken: Path) -> None:
    broken.write_bytes(ODD.read_bytes().replace(b"1706099990", b"3913099990").replace(b"01-09-2026", b"01-09-2199"))

    report = json.loads(run("lists", "check", broken, "--mapping", MAPPING, "--json").stdout)

    assert [(row["row"], row["refused"][0]["code"]) for row in report["report"] if "refused" in row] == [
        (3, "date_out_of_bounds"),
        (6, "invalid_cpr"),
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("check", ODD), "give --list NAME, or --mapping FILE"),
        (("check", ODD, "--list", "../keys"), "small letters"),
        (("check", ODD, "--list", "unknown"), "can't be read"),
        (("check", "nowhere.csv", "--mapping", MAPPING), "nowhere.csv can't be read"),
        (("guess", "nowhere.csv"), "nowhere.csv can't be read"),
        (("guess", ODD, "--set", "programme"), "--set takes FIELD=VALUE"),
        (("check", MAPPING, "--mapping", MAPPING), "broken_quotes: row 11"),
    ],
)
def test_what_can_not_be_done_is_told_in_a_line(
    run: Callable[..., Result], arguments: tuple[Any, ...], told: str
) -> None:
    done = run("lists", *arguments)

    assert done.exit_code == 2
    assert told in done.stderr


class FakeDoor:
    """Answers as the lists' door: the report, then the rows that failed."""

    def __init__(self, report: dict[str, Any]) -> None:
        """Takes the report."""
        self.report = report
        self.requests: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Returns the answer to a request."""
        self.requests.append(request)
        if request.headers.get("accept") == "text/csv":
            return httpx.Response(200, content=b"CPR;brobygger_reason\r\n", headers={"content-type": "text/csv"})
        return httpx.Response(200, json=self.report)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> FakeDoor:
    """Puts a fake door in the network's place."""
    refused = {"column": "Status", "code": "unknown_code", "field": "status", "rule": "a rule", "help": "do it"}
    rows = [{"row": 2, "outcome": "accepted"}, {"row": 3, "outcome": "refused", "refused": [refused]}]
    fake = FakeDoor({"accepted": 1, "repeated": 0, "refused": 1, "report": rows})
    client = httpx.Client
    transport = httpx.MockTransport(fake.answer)
    monkeypatch.setattr(httpx, "Client", lambda **options: client(**options, transport=transport))
    return fake


def ingest(run: Callable[..., Result], *arguments: Any) -> Result:
    return run("ingest", *arguments, "--list", "forloeb", "--gateway", "http://gateway.test", "--token", "t", "--json")


def test_a_row_with_two_faults_is_one_row_that_was_refused(
    run: Callable[..., Result], door: FakeDoor, broken: Path
) -> None:
    door.report["report"][1]["refused"].append(door.report["report"][1]["refused"][0] | {"column": "CPR"})

    done = run("ingest", broken, "--list=forloeb", "--gateway=http://gateway.test", "--token=t")

    assert done.stdout.startswith("1 statement from 1 file was taken, 1 refused\n")


def test_a_constant_that_no_list_has_is_refused_by_its_name(run: Callable[..., Result], broken: Path) -> None:
    done = run("lists", "guess", broken, "--set", "programe=stime")

    assert done.exit_code == 2
    assert "programe is no field of a list; take one of: " in done.stderr


def test_the_rows_that_failed_are_asked_for_by_who_has_kept_the_claim_codes(
    run: Callable[..., Result], door: FakeDoor, broken: Path
) -> None:
    ingest(run, broken)
    ingest(run, broken, "--believe-missing")

    asked = [request.url.query for request in door.requests if request.headers.get("accept") == "text/csv"]
    assert asked == [b"claim_codes=kept", b"missing=believed&claim_codes=kept"]


def test_a_list_is_sent_and_its_report_and_failed_rows_are_written_beside_it(
    run: Callable[..., Result], door: FakeDoor, broken: Path
) -> None:
    done = ingest(run, broken)

    assert done.exit_code == 2
    document = json.loads(done.stdout)
    assert (document["taken"], document["refused"][0]["where"]) == (1, "row 3")
    report, failed = (broken.with_name(f"liste.csv{ending}") for ending in (".report.json", ".failed.csv"))
    assert json.loads(report.read_bytes())["refused"] == 1
    assert failed.read_bytes() == b"CPR;brobygger_reason\r\n"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (report, failed)} == {0o600}


def test_both_requests_have_one_key_and_another_run_has_another(
    run: Callable[..., Result], door: FakeDoor, broken: Path
) -> None:
    ingest(run, broken)
    ingest(run, broken)

    keys = [request.headers["idempotency-key"] for request in door.requests]
    assert keys[0] == keys[1] != keys[2] == keys[3]


def test_a_folder_of_lists_is_sent_without_what_was_written_there(
    run: Callable[..., Result], door: FakeDoor, broken: Path
) -> None:
    ingest(run, broken.parent)
    ingest(run, broken.parent)

    assert len(door.requests) == 4


def test_what_is_withheld_of_missing_rows_is_told(run: Callable[..., Result], door: FakeDoor, broken: Path) -> None:
    withheld = {"code": "too_many_missing", "field": "file", "rule": "a rule", "help": "do it"}
    door.report |= {"refused": 0, "report": [], "missing": {"rows": 9, "told_as_ended": 0, "withheld": withheld}}

    done = ingest(run, broken, "--believe-missing")

    assert done.exit_code == 2
    assert json.loads(done.stdout)["refused"][0]["code"] == "too_many_missing"
    assert door.requests[0].url.query == b"missing=believed"


@pytest.mark.parametrize(
    ("number", "noun", "told"), [(1, "file", "1 file"), (0, "file", "0 files"), (4, "statement", "4 statements")]
)
def test_one_of_a_thing_is_told_in_the_singular(number: int, noun: str, told: str) -> None:
    assert counted(number, noun) == told


def test_a_check_tells_how_many_rows_are_valid(run: Callable[..., Result]) -> None:
    told = run("lists", "check", ODD, "--mapping", MAPPING).stdout

    assert told.startswith("4 rows of enrolments: 4 valid, 0 refused")

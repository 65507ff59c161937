"""The commands that need no broker, and what they print, to whom, with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from streams.cli.up import command_from
from tests.domain.story import a_step, at

ROOT = Path(__file__).parents[3]
MESSAGES = ROOT / "tests" / "messages" / "medcom-fhir"
COMMANDS = (
    "up",
    "worker",
    "gateway",
    "topics",
    "programmes",
    "acls",
    "clients",
    "translate",
    "ingest",
    "watch",
    "lists",
    "publish",
    "subscribe",
    "pathway",
    "needs",
    "links",
    "mailboxes",
    "replay",
    "reconcile",
    "disclosures",
    "erase",
    "identity",
    "dead-letters",
    "simulate",
    "doctor",
)


def lines_of(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_help_names_every_command(run: Any) -> None:
    shown = run("--help").stdout

    assert [name for name in COMMANDS if f" {name} " not in shown] == []


def test_help_imports_no_kafka_client() -> None:
    program = "import sys; from streams.cli.main import app; print('aiokafka' in sys.modules, 'faust' in sys.modules)"

    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert found.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"simulate"}))
def test_every_command_explains_itself(run: Any, name: str) -> None:
    shown = run(name, "--help")

    assert shown.exit_code == 0
    assert "completion" not in shown.stdout  # it would complete nothing: commands are imported when they run


def test_the_command_to_look_with_works_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/srv/brobygger/.venv/bin/python")

    told = [command_from(Path(folder)) for folder in ("/srv/brobygger", "/srv/elsewhere")]

    assert told == [".venv/bin/brobygger", "/srv/brobygger/.venv/bin/brobygger"]


def test_an_unknown_command_is_bad_input(run: Any) -> None:
    assert run("transmogrify").exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("topics", "apply"),
        ("acls", "apply"),
        ("acls", "user", "headspace"),
        ("needs", "list"),
        ("reconcile",),
        ("subscribe", "notices"),
    ],
)
def test_a_command_that_needs_an_instance_says_how_to_start_one(run: Any, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "brobygger up" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_translate_prints_a_line_an_event_keyed_by_youth(run: Any) -> None:
    result = run("translate", str(MESSAGES / "hn-06-SLHJ-discharge-home.json"), "--json")

    discharge, person = lines_of(result)
    assert result.exit_code == 0
    assert [line["topic"] for line in (discharge, person)] == ["brobygger.discharges.v1", "brobygger.persons.v1"]
    assert discharge["key"] == discharge["event"]["youth_id"] == person["key"]
    assert discharge["event"]["status"] == "discharged_home"
    assert {"revises", "cancels", "episode_id"} <= set(discharge["event"])


def test_the_same_person_has_one_key_in_a_run_and_another_in_the_next(run: Any) -> None:
    files = [str(MESSAGES / "hn-01-STIN-admit.json"), str(MESSAGES / "hn-06-SLHJ-discharge-home.json")]

    first, second = (lines_of(run("translate", *files, "--json")) for _ in range(2))

    assert len({line["key"] for line in first}) == 1
    assert first[0]["key"] != second[0]["key"]
    assert [line["file"] for line in first] == [files[0], files[0], files[1], files[1]]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b"{}", b"[" * 100_000, b" " * 1_100_000])
def test_translate_refuses_what_is_no_message(run: Any, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "message.json").write_bytes(content)

    result = run("translate", str(tmp_path / "message.json"), "--json")

    [line] = lines_of(result)
    assert result.exit_code == 2
    assert list(line) == ["refused"]
    assert list(line["refused"]) == ["code", "field", "rule", "help"]


def test_translate_tells_an_acknowledgement_and_a_file_that_is_not_there(run: Any) -> None:
    told = run("translate", str(MESSAGES / "ack-21-ok.json"), "--json")
    missing = run("translate", "nowhere.json", "--json")

    assert (told.exit_code, lines_of(told)[0]["acknowledgement"]["response_code"]) == (0, "ok")
    assert (missing.exit_code, missing.stdout) == (2, "")
    assert "nowhere.json can't be read" in missing.stderr


def test_translate_prints_for_people_too(run: Any) -> None:
    result = run("translate", str(MESSAGES / "hn-01-STIN-admit.json"))

    assert result.exit_code == 0
    assert "brobygger.discharges.v1" in result.stdout


def test_a_client_is_made_listed_and_revoked_and_its_token_shown_once(run: Any) -> None:
    made = json.loads(run("clients", "create", "programme", "headspace", "--json").stdout)

    [listed] = lines_of(run("clients", "list", "--json"))
    assert listed["client_id"] == made["client_id"] == made["token"].partition(".")[0]
    assert made["token"].partition(".")[2] not in json.dumps(listed)
    assert run("clients", "revoke", made["client_id"]).exit_code == 0
    assert run("clients", "revoke", made["client_id"]).exit_code == 2
    assert lines_of(run("clients", "list", "--json"))[0]["revoked_at"] is not None


def test_a_source_without_its_legal_basis_gets_no_client(run: Any) -> None:
    result = run("clients", "create", "source", "sor:1", "--data-controller", "Region")

    assert result.exit_code == 2
    assert "legal_basis" in result.stderr


def test_a_sender_that_is_no_code_is_refused_by_its_rule(run: Any) -> None:
    named = ("--data-controller", "Region", "--legal-basis", "§43")

    result = run("clients", "create", "source", "region", "--sender", "Herlev", *named)

    assert result.exit_code == 2
    assert "senders[0]: a SOR code or location number is 11 to 20 digits; correct it" in result.stderr


def test_a_reason_that_is_no_code_is_refused_by_its_option_and_rule(run: Any) -> None:
    need = "00000000-0000-5000-8000-000000000000"

    result = run("needs", "close", need, "--actor", "anna", "--role", "owner", "--reason", "not needed")

    assert result.exit_code == 2
    assert "--reason: a code is at most 64 small letters, digits and _; correct it" in result.stderr


def test_a_programme_that_nobody_knows_gets_no_client_and_the_known_ones_are_named(run: Any) -> None:
    result = run("clients", "create", "programme", "hedspace")

    assert result.exit_code == 2
    assert "headspace, psykinfo-adviser" in result.stderr
    assert run("clients", "list", "--json").stdout == ""


def test_a_programmes_client_may_be_one_sites_that_its_file_names(run: Any) -> None:
    unknown = run("clients", "create", "programme", "headspace", "--site", "aarhus")
    without = run("clients", "create", "programme", "unik-recovery-young", "--site", "helsingoer")
    run("clients", "create", "programme", "headspace", "--site", "helsingoer")
    run("clients", "create", "programme", "alliancen-plan", "--site", "0751")

    assert [unknown.exit_code, without.exit_code] == [2, 2]
    assert "koebenhavn, roedovre, helsingoer" in unknown.stderr
    assert "it has no sites" in without.stderr
    assert [row["site"] for row in lines_of(run("clients", "list", "--json"))] == ["0751", "helsingoer"]


def test_medcom_messages_need_a_sender_and_a_hub_says_that_it_is_one(run: Any) -> None:
    legal = ("--data-controller", "Region", "--legal-basis", "SUL")
    unbound = run("clients", "create", "source", "region", *legal, "--role", "medcom")
    run("clients", "create", "source", "bound", *legal, "--sender", "265161000016000")
    run("clients", "create", "source", "hub", *legal, "--any-sender")
    run("clients", "create", "source", "kommune", *legal)

    assert unbound.exit_code == 2
    assert "--sender" in unbound.stderr
    assert {row["name"]: (row["senders"], row["roles"]) for row in lines_of(run("clients", "list", "--json"))} == {
        "bound": (["265161000016000"], ["medcom", "statements"]),
        "hub": (["*"], ["medcom", "statements"]),
        "kommune": ([], ["statements"]),
    }


def test_topics_and_programmes_are_listed_without_a_broker(run: Any) -> None:
    topics, programmes = lines_of(run("topics", "list", "--json")), lines_of(run("programmes", "list", "--json"))

    assert {"intake", "handovers.headspace"} <= {row["topic"] for row in topics}
    assert "headspace" in {row["id"] for row in programmes}
    assert run("programmes", "check").exit_code == 0


def test_a_broken_programme_file_is_named_with_its_field(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd.toml").write_text('id = "odd"\n', encoding="utf-8")
    monkeypatch.setenv("BROBYGGER_PROGRAMMES", str(tmp_path))

    result = run("programmes", "check")

    assert result.exit_code == 2
    assert "odd.toml" in result.stderr
    assert "triggers" in result.stderr


def test_publish_names_line_and_field_and_writes_nothing(run: Any) -> None:
    good = a_step("slhj", at("2026-02-02 10:00"), "discharged_home").model_dump_json()
    bad = json.dumps(json.loads(good) | {"status": "dancing"})

    result = run("publish", "discharges", "-", given=f"{good}\n{bad}\nnot json\n")

    assert result.exit_code == 2
    assert "line 2: status" in result.stderr
    assert "line 3" in result.stderr
    assert "dancing" not in result.stderr


@pytest.mark.parametrize("topic", ["handovers.headspace", "intake", "nonsense"])
def test_publish_writes_to_statement_topics_alone(run: Any, topic: str) -> None:
    result = run("publish", topic, "-", given="{}\n")

    assert (result.exit_code, "takes no statements" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("topic", "told"),
    [
        ("pathway-state", "engine's own format"),
        ("handovers", "one handovers topic a programme"),
        ("nonsense", "no topic is named"),
        ("dead-letters", "sealed"),
    ],
)
def test_subscribe_says_why_a_topic_is_not_shown(run: Any, topic: str, told: str) -> None:
    result = run("subscribe", topic, "--limit", "1", "--json")

    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


def test_a_setting_out_of_range_is_told_in_one_line(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROBYGGER_PARTITIONS", "0")

    result = run("topics", "list")

    assert result.exit_code == 2
    assert "BROBYGGER_PARTITIONS" in result.stderr


def test_ingest_tells_of_files_that_have_no_door(run: Any, tmp_path: Path) -> None:
    (tmp_path / "list.ndjson").write_text("{}\n", encoding="utf-8")

    result = run("ingest", str(tmp_path), "--gateway", "http://127.0.0.1:9", "--token", "t", "--json")

    assert result.exit_code == 2
    assert json.loads(result.stdout)["refused"][0]["code"] == "no_door"


def test_ingest_tells_that_no_gateway_answers(run: Any) -> None:
    message = str(MESSAGES / "hn-01-STIN-admit.json")

    result = run("ingest", message, "--gateway", "http://127.0.0.1:9", "--token", "t")

    assert result.exit_code == 2
    assert "does not answer" in result.stderr

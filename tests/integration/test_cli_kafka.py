"""The commands on a real broker with a real worker: publish, subscribe, decide, replay, reconcile, dead letters."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.kafka.embedded import EmbeddedBroker
from connectors.vault.keys import create_keys
from schemas.topics import kafka_name
from streams.cli.up import free_port
from streams.supervision import stop_all, wait_until_ready
from tests.domain.story import YOUTH
from tests.integration.command_line import (
    NOW,
    PERSONAL,
    a_gateway,
    a_worker,
    document_of,
    lines_of,
    run,
    send_garbage,
    tell_of,
    the_gateway,
    until,
)

pytestmark = pytest.mark.integration
PARTITIONS = "3"
OTHER_YOUTH = "00000000000000000000000000000abc"
ACTOR = ("--actor", "municipality-0217", "--role", "owner", "--json")


@pytest.fixture(scope="module", autouse=True)
def service(empty_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Runs one worker and a gateway."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROBYGGER_DATA", str(folder))
        patch.setenv("KAFKA_BOOTSTRAP", empty_broker.bootstrap)
        patch.setenv("BROBYGGER_PARTITIONS", PARTITIONS)
        patch.setenv("BROBYGGER_SETTLE_SECONDS", "0")
        create_keys(folder / "keys")
        assert run("topics", "apply").exit_code == 0
        assert "version 1" in run("programmes", "apply").stdout
        assert "nothing to do" in run("programmes", "apply").stdout
        patch.setenv("BROBYGGER_GATEWAY_PORT", str(free_port()))
        children = [a_worker(folder), a_gateway(folder)]
        try:
            for child in children:
                child.start()
            wait_until_ready(children, timedelta(seconds=90), threading.Event())
            tell_of(YOUTH, "first")
            tell_of(OTHER_YOUTH, "second")
            send_garbage(empty_broker.bootstrap)
            yield
        finally:
            stop_all(children)


def test_a_published_discharge_ends_as_an_offer_that_subscribe_prints() -> None:
    [offer] = lines_of("subscribe", "handovers.ungevaerftet", "--limit", "1", "--timeout", "60", "--json")

    assert offer["event"]["type"] == "offered"
    assert offer["key"] == offer["event"]["youth_id"] != YOUTH


def test_subscribe_by_either_name_prints_what_was_published_and_ends_with_1_where_too_few_came() -> None:
    names = ("discharges", "brobygger.discharges.v1")

    first, second = (run("subscribe", name, "--limit", "9", "--timeout", "3", "--json") for name in names)

    assert (first.exit_code, second.exit_code) == (1, 1)
    records = [json.loads(line) for line in first.stdout.splitlines()]
    assert sorted(first.stdout.splitlines()) == sorted(second.stdout.splitlines())
    assert sorted(record["event"]["status"] for record in records if "event" in record) == [
        "admitted",
        "admitted",
        "discharged_home",
        "discharged_home",
    ]
    assert [record["unreadable"]["code"] for record in records if "unreadable" in record] == ["unknown_fingerprint"]


def test_subscribe_from_the_end_prints_only_what_comes() -> None:
    assert run("subscribe", "discharges", "--from", "end", "--timeout", "2", "--json").stdout == ""


def test_a_pathway_is_shown_by_youth_id_and_1_where_there_is_none() -> None:
    shown = until(lambda: json.loads(run("pathway", YOUTH, "--json").stdout or "{}"))

    assert [stay["state"] for stay in shown["stays"]] == ["ended"]
    assert run("pathway", YOUTH).exit_code == 0
    assert run("pathway", "0" * 32).exit_code == 1


def test_needs_are_listed_without_identity_and_decided_about() -> None:
    rows = until(lambda: [row for row in lines_of("needs", "list", "--json") if row["state"] != "settling"])
    need = rows[0]["need_id"]
    listed = run("needs", "list").stdout.splitlines()

    assigned = document_of("needs", "assign", need, *ACTOR)
    again_assigned = document_of("needs", "assign", need, "--actor", "someone-else", "--role", "owner", "--json")
    closed = document_of("needs", "close", need, "--reason", "moved_abroad", *ACTOR)
    again = run("needs", "offer", need, "--programme", "headspace", *ACTOR)

    assert not {YOUTH, OTHER_YOUTH} & set(map(str, rows[0].values()))
    assert rows[0]["municipality"] == "0217"
    assert all(row["clock_at"] for row in rows)
    assert need in {line.split()[0] for line in listed if line.strip()}
    assert max(map(len, listed)) <= 80
    assert [one["outcome"] for one in (assigned, again_assigned)] == ["done", "done"]
    assert again_assigned["owner"] == "someone-else"
    assert (closed["outcome"], closed["state"]) == ("done", "closed")
    assert (again.exit_code, json.loads(again.stdout)["reason_code"]) == (1, "need_closed")
    assert need in {row["need_id"] for row in lines_of("needs", "list", "--state", "closed", "--json")}


def test_a_handover_as_its_programme_names_it_leads_to_its_need() -> None:
    [offer] = lines_of("subscribe", "handovers.ungevaerftet", "--limit", "1", "--timeout", "60", "--json")
    views = [document_of("pathway", youth, "--told", "--json") for youth in (YOUTH, OTHER_YOUTH)]
    [row] = lines_of("needs", "list", "--handover", offer["event"]["subject"], "--json")
    unknown = run("needs", "list", "--handover", views[0]["handovers"][0]["handover_id"])

    told = {ours: theirs for view in views for ours, theirs in view["told_ids"].items()}
    assert told.keys() == {one["handover_id"] for view in views for one in view["handovers"]}
    assert offer["event"]["subject"] in told.values()
    assert row["need_id"] in {view["needs"][0]["need_id"] for view in views}
    assert row["need_id"] != offer["event"]["correlation_id"]
    assert unknown.exit_code == 2
    assert "no programme was told of the handover" in unknown.stderr


def test_a_need_that_is_not_there_is_bad_input() -> None:
    result = run("needs", "assign", "00000000-0000-5000-8000-000000000000", *ACTOR)

    assert result.exit_code == 2
    assert "no need has the id" in result.stderr


def test_a_dead_letter_is_listed_opened_saved_and_sent_again_once(tmp_path: Path) -> None:
    [letter] = until(lambda: lines_of("dead-letters", "list", "--json"))
    shown = run("dead-letters", "show", letter["id"], "--bytes", str(tmp_path / "value"), "--json")
    first, second = run("dead-letters", "retry", letter["id"]), run("dead-letters", "retry", letter["id"])
    letters = until(lambda: len(found := lines_of("dead-letters", "list", "--json")) == 2 and found)

    assert (letter["topic"], letter["code"]) == (kafka_name("discharges"), "unknown_fingerprint")
    assert "value[2:10]" in letter["reason"]
    assert json.loads(shown.stdout)["value_bytes"] == len(PERSONAL)
    assert "Nancy" not in shown.output
    assert (tmp_path / "value").read_bytes() == PERSONAL
    assert (first.exit_code, second.exit_code) == (0, 2)
    assert "sent again before" in second.stderr
    assert letters[1]["topic"] == kafka_name("discharges")
    assert run("dead-letters", "show", "0-99999").exit_code == 2


def test_the_log_replays_to_the_same_bytes_and_the_books_balance() -> None:
    replayed = until(lambda: (answer := run("replay", "--json")).exit_code == 0 and json.loads(answer.stdout))
    account = document_of("reconcile", "--json")

    assert replayed["identical"]
    assert account["balances"]
    assert sum(line["in"] for line in account["events"]) >= 9
    assert sum(line["dead_letter"] for line in account["events"]) >= 1
    assert run("reconcile").exit_code == 0


@pytest.mark.parametrize("doubled", [False, True])
@pytest.mark.parametrize("topic", ["intake", "handovers.ungevaerftet"])
def test_a_copy_balances_and_one_that_was_tampered_with_does_not(tmp_path: Path, topic: str, doubled: bool) -> None:
    path = tmp_path / "copy.jsonl"
    assert document_of("replay", "--export", str(path), "--json")["records"] > 0
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    [end] = [index for index, line in enumerate(lines) if line.startswith('{"end"')]
    places = [index for index, line in enumerate(lines) if f'"topic":"{kafka_name(topic)}"' in line]
    tampered = [*lines[: places[-1]], *([lines[places[-1]]] * 2 if doubled else []), *lines[places[-1] + 1 : end]]
    (tmp_path / "tampered.jsonl").write_text("".join([*tampered, _end_of(tampered, lines[end])]), encoding="utf-8")

    whole = run("reconcile", "--copy", str(path), "--json")
    broken = run("reconcile", "--copy", str(tmp_path / "tampered.jsonl"), "--json")

    assert whole.exit_code == 0
    assert broken.exit_code == 1
    assert json.loads(broken.stdout)["remarks"] == []
    assert {kafka_name(topic)} & {one["topic"] for one in json.loads(broken.stdout)["findings"]} or not doubled


def _end_of(lines: list[str], original: str) -> str:
    """Returns a last line whose counts fit, so that the books themselves have to find what is wrong."""
    counts = {topic: [0] * len(some) for topic, some in json.loads(original)["end"].items()}
    for line in lines[1:]:
        record = json.loads(line)
        counts[record["topic"]][record["partition"]] += 1
    return json.dumps({"end": counts}) + "\n"


def test_doctor_is_not_ready_on_a_cluster_where_it_knows_of_no_process() -> None:
    told = run("doctor", "--json")

    report = json.loads(told.stdout)
    assert (told.exit_code, report["ready"], report["broker"]["ready"]) == (1, False, True)
    assert ["/ready" in problem for problem in report["problems"]] == [True]


def test_other_programmes_show_which_handovers_would_differ(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "programmes"
    for file in folder.glob("*.toml"):
        if file.stem != "ungevaerftet":
            (tmp_path / file.name).write_bytes(file.read_bytes())

    assert document_of("replay", "--programmes", str(folder), "--json") == {"differing": []}
    assert document_of("replay", "--programmes", str(tmp_path), "--json")["differing"] != []


def test_ingest_sends_messages_and_statements_to_their_doors_and_names_what_was_refused(tmp_path: Path) -> None:
    token = document_of(
        *("clients", "create", "source", "region", "--any-sender", "--data-controller", "Region"),
        *("--legal-basis", "SUL", "--json"),
    )["token"]
    message = Path(__file__).parents[1] / "messages" / "medcom-fhir" / "hn-01-STIN-admit.json"
    statement = {
        "subject": "course-8",
        "occurred_at": NOW.isoformat(),
        "programme": "stime",
        "status": "active",
        "status_at": NOW.isoformat(),
        "person": {"cpr": "0105109996", "municipality": "0217"},
    }
    (tmp_path / "message.json").write_bytes(message.read_bytes())
    (tmp_path / "enrolments-1.ndjson").write_text(
        "\n".join(map(json.dumps, [statement, statement | {"status": "dancing"}])), encoding="utf-8"
    )
    (tmp_path / "broken.json").write_text('{"resourceType": "Bundle"}', encoding="utf-8")
    door = ("--gateway", the_gateway(), "--token", token, "--json")

    first, second = (run("ingest", str(tmp_path), *door) for _ in range(2))
    good = run("ingest", str(tmp_path / "message.json"), *door)

    answer = json.loads(first.stdout)
    assert first.exit_code == second.exit_code == 2
    assert (answer["files"], answer["taken"]) == (3, 2)
    assert [(Path(row["file"]).name, row["where"]) for row in answer["refused"]] == [
        ("broken.json", ""),
        ("enrolments-1.ndjson", "line 2"),
    ]
    assert "dancing" not in first.output
    assert json.loads(second.stdout)["taken"] == 2
    assert good.exit_code == 0
    # What was sent is not sent again, so that a wrong token shows with a file that was not.
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "message.json").write_bytes(message.read_bytes())
    assert run("ingest", str(tmp_path / "new"), "--gateway", the_gateway(), "--token", "x").exit_code == 2

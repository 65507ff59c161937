"""The schema gate lets additions through and nothing that would leave a reader behind."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, create_model

from schemas.gate import LOCK_NAME, Gate, published_models

if TYPE_CHECKING:
    from pathlib import Path


def a_colour(*symbols: str) -> Any:
    """Returns the code list ``Colour`` with the symbols, UNKNOWN first."""
    members = [("UNKNOWN", "UNKNOWN"), *((symbol.upper(), symbol) for symbol in symbols)]
    return getattr(enum, "StrEnum")("Colour", members)  # noqa: B009 - mypy reads a literal call as a class of its own


class Inner(BaseModel):
    width: int


_FIELDS: dict[str, Any] = {
    "name": (str, ...),
    "colour": (a_colour("red", "green"), "UNKNOWN"),
    "note": (str | None, None),
    "inner": (tuple[Inner, ...], ()),
}


def a_model(**changes: Any) -> type[BaseModel]:
    """Returns the model ``Thing`` with fields changed, added or, given None, left out."""
    fields = {name: field for name, field in (_FIELDS | changes).items() if field is not None}
    return create_model("Thing", **fields)


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    gate = Gate(tmp_path / "avro")
    gate.publish([a_model()])
    return gate


def rules(gate: Gate, model: type[BaseModel]) -> list[tuple[str, str]]:
    written, broken = gate.publish([model])
    assert not written or not broken
    return [(found.field, found.rule.partition(":")[0].partition(" ")[0]) for found in broken]


def test_the_committed_schemas_pass_the_gate() -> None:
    assert [str(found) for found in Gate().check(published_models())] == []


def test_what_was_just_published_passes(gate: Gate) -> None:
    assert gate.check([a_model()]) == []
    assert gate.publish([a_model()]) == ([], [])


def test_a_changed_model_fails_the_check_until_it_is_published(gate: Gate) -> None:
    wider = a_model(size=(int | None, None))

    (found,) = gate.check([wider])
    written, broken = gate.publish([wider])

    assert found.rule == "not_published: the model differs from version 1"
    assert "schemas.gate publish" in found.help
    assert [path.name for path in written] == ["Thing.v2.avsc"]
    assert broken == gate.check([wider]) == []


def test_a_model_without_a_version_fails(tmp_path: Path) -> None:
    (found,) = Gate(tmp_path).check([a_model()])

    assert (found.model, found.rule.partition(":")[0]) == ("Thing", "not_published")


def test_an_edited_file_fails(gate: Gate) -> None:
    path = gate.folder / "Thing.v1.avsc"
    path.write_text(path.read_text().replace('"note"', '"remark"'))

    broken = gate.check([])

    assert [(found.model, found.rule) for found in broken] == [
        ("Thing.v1.avsc", "append_only: it was edited after it was published")
    ]
    assert gate.publish([a_model()])[0] == []


def test_a_deleted_file_fails(gate: Gate) -> None:
    (gate.folder / "Thing.v1.avsc").unlink()

    assert [found.rule for found in gate.check([])] == ["append_only: it was deleted"]


def test_a_file_that_the_lock_does_not_name_fails(gate: Gate) -> None:
    (gate.folder / LOCK_NAME).write_text("")

    assert [found.rule for found in gate.check([a_model()])] == ["append_only: published.lock doesn't name it"]


def test_a_removed_field_fails(gate: Gate) -> None:
    assert ("name", "field_removed") in rules(gate, a_model(name=None))


def test_a_removed_optional_field_fails_too(gate: Gate) -> None:
    assert rules(gate, a_model(note=None)) == [("note", "field_removed")]


def test_a_field_without_a_default_fails(gate: Gate) -> None:
    assert rules(gate, a_model(size=(int, ...))) == [("size", "reader_field_missing_default_value")]


def test_a_field_without_a_default_inside_another_record_fails(gate: Gate) -> None:
    inner = create_model("Inner", width=(int, ...), height=(int, ...))

    ((field, rule),) = rules(gate, a_model(inner=(tuple[inner, ...], ())))

    assert rule == "reader_field_missing_default_value"
    assert field.startswith("inner") or field == "height"


def test_a_removed_symbol_fails(gate: Gate) -> None:
    fewer = a_colour("red")

    assert ("colour", "symbol_removed") in rules(gate, a_model(colour=(fewer, "UNKNOWN")))


def test_an_added_symbol_passes(gate: Gate) -> None:
    more = a_colour("red", "green", "blue")

    assert rules(gate, a_model(colour=(more, "UNKNOWN"))) == []


@pytest.mark.parametrize("changed", [(int, ...), (float, ...), (str | None, ...), (tuple[str, ...], ...)])
def test_a_changed_type_fails(gate: Gate, changed: Any) -> None:
    broken = rules(gate, a_model(name=changed))

    assert {field for field, _ in broken} == {"name"}


def test_a_changed_logical_type_fails(gate: Gate) -> None:
    assert rules(gate, a_model(name=(UUID, ...))) == [("name", "logical_type")]


def test_every_earlier_version_is_compared(gate: Gate) -> None:
    gate.publish([a_model(size=(int | None, None))])

    broken = rules(gate, a_model(size=(str | None, None)))

    assert ("size", "missing_union_branch") in broken


def test_a_break_names_model_field_rule_and_what_to_do(gate: Gate) -> None:
    (found,) = gate.publish([a_model(size=(int, ...))])[1]

    assert str(found) == (
        "Thing: size: reader_field_missing_default_value: a new reader of old records (size); "
        "give the new field a default, e.g. `| None = None`"
    )


def test_one_broken_model_keeps_all_from_being_published(gate: Gate) -> None:
    other = create_model("Other", name=(str, Field(default="")))

    written, broken = gate.publish([other, a_model(name=None)])

    assert written == []
    assert broken
    assert not (gate.folder / "Other.v1.avsc").exists()


def a_log(name: str, *kinds: type[BaseModel]) -> type[BaseModel]:
    """Returns a model whose body is one of several records."""
    body: Any = kinds[0]
    for kind in kinds[1:]:
        body |= kind
    return create_model(name, body=(body, ...))


def test_the_intake_log_alone_may_hold_new_kinds_of_records_and_loses_none(tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    kinds = [create_model(name, text=(str, ...)) for name in ("One", "Two", "Three")]
    gate.publish([a_log("Intake", *kinds[:2]), a_log("Thing", *kinds[:2])])

    assert rules(gate, a_log("Thing", *kinds)) == [("body", "missing_union_branch")]
    assert rules(gate, a_log("Intake", kinds[0], kinds[2])) == [("body", "missing_union_branch")]
    assert rules(gate, a_log("Intake", *kinds)) == []

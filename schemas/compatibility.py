"""Says where two versions of a record's Avro schema don't go together: FULL_TRANSITIVE, and a little more.

Avro's own rules come from the Apache ``avro`` package, asked both ways. Beyond them a published field, enum
symbol or logical type stays: Avro would let an optional field or a symbol go, and every reader that needs it
would then see null or ``UNKNOWN`` without anybody having been told.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import avro.schema
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityResult, SchemaCompatibilityType

Schema = dict[str, Any]

_HELP = {
    "field_removed": "put the field back; where it is no longer used, let writers leave it null",
    "symbol_removed": "put the symbol back; where it is no longer used, let no writer choose it",
    "logical_type": "keep the published type and add a field of another name for the new one",
    "reader_field_missing_default_value": "give the new field a default, e.g. `| None = None`",
    "name_mismatch": "keep the type's published name",
    "missing_union_branch": "keep the field's types as published and add a field of another name",
    "type_mismatch": "keep the published type and add a field of another name for the new one",
}


@dataclass(frozen=True, slots=True)
class Break:
    """One rule that a schema breaks: of which model, at which field, and what to do about it."""

    model: str
    field: str
    rule: str
    help: str

    def __str__(self) -> str:
        """Returns the break as one line."""
        return f"{self.model}: {self.field}: {self.rule}; {self.help}"


def breaks_between(published: Schema, current: Schema, *, both_ways: bool = True) -> list[Break]:
    """Returns every rule that the current schema breaks against a published one, nothing where all is well.

    Not ``both_ways``, old readers need not understand new records: nobody reads them but the release that writes.
    """
    model = current["name"]
    kept = [Break(model, field, f"{rule} ({what})", _HELP[rule]) for field, rule, what in _lost(published, current, "")]
    return kept + _refused_by_avro(model, published, current, both_ways=both_ways)


def _refused_by_avro(model: str, published: Schema, current: Schema, *, both_ways: bool) -> list[Break]:
    older, newer = (avro.schema.parse(json.dumps(schema)) for schema in (published, current))
    pairs = (("a new reader of old records", newer, older), ("an old reader of new records", older, newer))
    found = []
    for who, reader, writer in pairs if both_ways else pairs[:1]:
        result = ReaderWriterCompatibilityChecker().get_compatibility(reader, writer)
        if result.compatibility is SchemaCompatibilityType.incompatible:
            located = {_field_at(json.loads(str(reader)), location) for location in result.locations} - {""}
            found.append(_break_of(model, sorted(located) or _changed_fields(published, current), who, result))
    return found


def _break_of(model: str, fields: list[str], who: str, result: SchemaCompatibilityResult) -> Break:
    rule = result.incompatibilities[0].value
    what = "; ".join(sorted(result.messages))
    return Break(model, ", ".join(fields), f"{rule}: {who} ({what})", _HELP.get(rule, "keep the published type"))


def _field_at(reader: Schema, location: str) -> str:
    """Returns the dotted field that a location of the checker (``//fields/3/type/fields/0``) points at."""
    steps = [step for step in location.split("/") if step]
    names: list[str] = []
    node: Any = reader
    for kind, step in pairwise(steps):
        if kind == "fields" and isinstance(node, dict) and "fields" in node:
            field = node["fields"][int(step)]
            names.append(field["name"])
            node = field["type"]
    return ".".join(names)


def _changed_fields(published: Schema, current: Schema) -> list[str]:
    """Returns the record's own fields that changed type, for breaks that the checker doesn't locate."""
    types = {field["name"]: field["type"] for field in published["fields"]}
    return sorted(field["name"] for field in current["fields"] if types.get(field["name"]) != field["type"])


def _lost(published: Any, current: Any, at: str) -> list[tuple[str, str, str]]:
    """Returns (field, rule, what) for every field, symbol and logical type of the published schema that is gone."""
    if isinstance(published, list) and isinstance(current, list):
        return [row for old, new in _same_branches(published, current) for row in _lost(old, new, at)]
    if isinstance(published, list) or isinstance(current, list):
        return []
    published, current = _spelt_out(published), _spelt_out(current)
    rows = _lost_symbols(published, current, at)
    if published.get("logicalType") != current.get("logicalType"):
        rows.append((at, "logical_type", f"was {published.get('logicalType')}, is {current.get('logicalType')}"))
    for inner in ("items", "values"):
        if inner in published and inner in current:
            rows += _lost(published[inner], current[inner], at)
    return rows + _lost_fields(published, current, at)


def _spelt_out(schema: Schema | str) -> Schema:
    return {"type": schema} if isinstance(schema, str) else schema


def _same_branches(published: list[Any], current: list[Any]) -> list[tuple[Any, Any]]:
    by_name = {_branch_name(branch): branch for branch in current}
    return [(old, by_name[name]) for old in published if (name := _branch_name(old)) in by_name]


def _branch_name(branch: Any) -> str:
    return str(branch.get("name", branch["type"])) if isinstance(branch, dict) else str(branch)


def _lost_symbols(published: Schema, current: Schema, at: str) -> list[tuple[str, str, str]]:
    gone = sorted(set(published.get("symbols", ())) - set(current.get("symbols", ())))
    return [(at, "symbol_removed", symbol) for symbol in gone] if "symbols" in current else []


def _lost_fields(published: Schema, current: Schema, at: str) -> list[tuple[str, str, str]]:
    if "fields" not in published or "fields" not in current:
        return []
    now = {field["name"]: field for field in current["fields"]}
    rows: list[tuple[str, str, str]] = []
    for field in published["fields"]:
        path = f"{at}.{field['name']}".lstrip(".")
        if field["name"] not in now:
            rows.append((path, "field_removed", "a published field stays"))
        else:
            rows += _lost(field["type"], now[field["name"]]["type"], path)
    return rows

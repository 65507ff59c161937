"""The gate in front of the published schemas: ``python -m schemas.gate check|publish``.

``avro/<Model>.v<N>.avsc`` is append-only, and ``avro/published.lock`` holds each file's SHA-256. A model that
changes needs a new version, and that goes with all versions before it, both ways. The intake log alone goes one way:
new releases read old records; an upgrade that adds a kind stops all workers first.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.avro import avro_schema
from schemas.compatibility import Break, breaks_between
from schemas.published import FOLDER
from schemas.topics import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pydantic import BaseModel

    from schemas.compatibility import Schema

LOCK_NAME = "published.lock"
#: Read by the workers that write it and by nobody else: a release may add kinds of records to the intake log.
_OF_ONE_RELEASE = frozenset({"Intake"})
_FILE_NAME = re.compile(r"(?P<model>[A-Z][A-Za-z]+)\.v(?P<version>[1-9][0-9]*)\.avsc")
_PUBLISH = "run `python -m schemas.gate publish` and commit what it writes"
_RESTORE = "restore it from git; a change goes into a new version"


def published_models() -> tuple[type[BaseModel], ...]:
    """Returns the model of every topic that has one, in the catalogue's order."""
    return tuple(dict.fromkeys(topic.model for topic in catalogue().values() if topic.model is not None))


@dataclass(frozen=True, slots=True)
class Gate:
    """The published schemas of one folder."""

    folder: Path = FOLDER

    def check(self, models: Iterable[type[BaseModel]]) -> list[Break]:
        """Returns every rule that the folder or a model breaks, nothing where all is well."""
        return self._altered() + [found for model in models for found in self._behind(model)]

    def publish(self, models: Sequence[type[BaseModel]]) -> tuple[list[Path], list[Break]]:
        """Writes a new version of every model that changed, or nothing at all where a rule is broken.

        Returns the files written and the rules broken; one of the two is empty.
        """
        changed = [(model.__name__, schema) for model in models if (schema := self._new_schema(model)) is not None]
        broken = self._altered() + [found for name, schema in changed for found in self._against_all(name, schema)]
        if broken:
            return [], broken
        self.folder.mkdir(exist_ok=True)
        written = [self._write(name, schema) for name, schema in changed]
        self._write_lock()
        return written, []

    def versions(self, model: str) -> list[Schema]:
        """Returns a model's published schemas, oldest first."""
        named = {path: _FILE_NAME.fullmatch(path.name) for path in self.folder.glob(f"{model}.v*.avsc")}
        numbered = {int(match["version"]): path for path, match in named.items() if match}
        return [json.loads(numbered[version].read_text(encoding="utf-8")) for version in sorted(numbered)]

    def _behind(self, model: type[BaseModel]) -> list[Break]:
        name = model.__name__
        schema = self._new_schema(model)
        if schema is None:
            return []
        if not self.versions(name):
            return [Break(name, "(the record)", "not_published: no version of it is in schemas/avro", _PUBLISH)]
        broken = self._against_all(name, schema)
        rule = f"not_published: the model differs from version {len(self.versions(name))}"
        return broken or [Break(name, "(the record)", rule, _PUBLISH)]

    def _new_schema(self, model: type[BaseModel]) -> Schema | None:
        """Returns a model's schema where it isn't the last published one."""
        schema: Schema = json.loads(_text(avro_schema(model)))
        return None if self.versions(model.__name__)[-1:] == [schema] else schema

    def _against_all(self, name: str, schema: Schema) -> list[Break]:
        both_ways = name not in _OF_ONE_RELEASE
        rows = [found for older in self.versions(name) for found in breaks_between(older, schema, both_ways=both_ways)]
        return list(dict.fromkeys(rows))

    def _write(self, name: str, schema: Schema) -> Path:
        path = self.folder / f"{name}.v{len(self.versions(name)) + 1}.avsc"
        path.write_text(_text(schema), encoding="utf-8")
        return path

    def _altered(self) -> list[Break]:
        """Returns a break for every file that isn't as it was published."""
        locked, found = self._locked(), self._digests()
        gone = [
            Break(name, "(the file)", "append_only: it was deleted", _RESTORE) for name in locked if name not in found
        ]
        edited = [
            Break(name, "(the file)", "append_only: it was edited after it was published", _RESTORE)
            for name, digest in found.items()
            if name in locked and locked[name] != digest
        ]
        stray = [
            Break(name, "(the file)", f"append_only: {LOCK_NAME} doesn't name it", f"delete it and {_PUBLISH}")
            for name in found
            if name not in locked
        ]
        return gone + edited + stray

    def _locked(self) -> dict[str, str]:
        lock = self.folder / LOCK_NAME
        lines = lock.read_text(encoding="utf-8").splitlines() if lock.exists() else []
        return {name: digest for digest, name in (line.split() for line in lines)}

    def _digests(self) -> dict[str, str]:
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(self.folder.glob("*.avsc"))}

    def _write_lock(self) -> None:
        lines = [f"{digest}  {name}\n" for name, digest in self._digests().items()]
        (self.folder / LOCK_NAME).write_text("".join(lines), encoding="utf-8")


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Runs one of the two commands; returns the exit code, 1 where a rule is broken."""
    if list(arguments) not in (["check"], ["publish"]):
        sys.stderr.write("usage: python -m schemas.gate check|publish\n")
        return 2
    gate = Gate()
    written: list[Path] = []
    if arguments[0] == "check":
        broken = gate.check(published_models())
    else:
        written, broken = gate.publish(published_models())
    sys.stdout.writelines(f"published {path.name}\n" for path in written)
    sys.stderr.writelines(f"{found}\n" for found in broken)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

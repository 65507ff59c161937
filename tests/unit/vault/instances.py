"""A vault with its folder of keys, as several processes would open it, and what rotates its keys."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from connectors.vault.identities import PersonStore
from connectors.vault.keys import create_keys, index_keys, wrapping_keys
from connectors.vault.reworking import Reworking, ReworkProgress
from connectors.vault.rotation import Rotation
from connectors.vault.store import SqlVault, open_vault
from tests.unit.vault.builders import AT, SYSTEM, stated

if TYPE_CHECKING:
    from pathlib import Path

    from connectors.vault.keys_in_force import KeyPurpose

# Other processes, of which each begins as a copy of one that has read the code already.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.unit.vault.instances"])
NUMBERS = [f"010100{number:04}" for number in range(10)]


@dataclass(frozen=True)
class Instance:
    """One process's view of a vault: its own engine, and the keys as it read them when it started."""

    url: str
    keys: Path
    vault: SqlVault
    identities: PersonStore

    @property
    def rotation(self) -> Rotation:
        """Returns what the command rotates with."""
        return Rotation(self.vault.engine, self.keys)

    def rework(self, kind: KeyPurpose, batch: int = 3) -> list[ReworkProgress]:
        """Does what a rotation has left to do, and returns how far it was after each batch."""
        index, identities = partial(index_keys, self.keys), partial(wrapping_keys, self.keys)
        return list(Reworking(self.vault.engine, index, identities, rest=lambda _: None).run(kind, batch))

    def rotate(self, kind: KeyPurpose) -> str:
        """Rotates the keys of a kind but for retiring the former; returns the id of the one in force.

        Who was allotted an id and isn't kept yet is left by a pass, and done by the next one.
        """
        started = self.rotation.start(kind, AT)
        for _ in range(20):
            if not self.rework(kind)[-1].left:
                break
            time.sleep(0.2)  # leaves the database to whoever is about to keep somebody
        return started.key_id

    def tell(self, number: str) -> str:
        """Tells the vault of a person, and returns the youth id."""
        youth_id = self.vault.youth_id(SYSTEM, number)
        self.identities.keep([stated(youth_id, number=number, name=f"Person {number}")])
        return youth_id

    def name_of(self, youth_id: str) -> str | None:
        """Returns the name that the vault keeps of a person, or None where it keeps nothing."""
        details = self.identities.details_of(youth_id)
        return None if details is None else details.name


def an_instance(url: str, keys: Path) -> Instance:
    """Opens a vault as a process does that starts now."""
    create_keys(keys)
    vault = open_vault(url, partial(index_keys, keys))
    return Instance(url, keys, vault, PersonStore(vault.engine, partial(wrapping_keys, keys)))


def everybody(instance: Instance) -> dict[str, str]:
    """Returns the youth id and checks the name of each number, as a process sees them."""
    found = {number: instance.vault.youth_id(SYSTEM, number) for number in NUMBERS}
    assert [instance.name_of(youth_id) for youth_id in found.values()] == [f"Person {number}" for number in found]
    return found

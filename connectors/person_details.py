"""Who a young person is and how to reach them, as far as a message says so: for the vault, and for nobody else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from schemas.events import UNFIT_SIGNS

_UNFIT = re.compile(f"[{UNFIT_SIGNS}]")
DETAIL_CHARACTERS_MAX = 400


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """What one message says of a person; None where it says nothing. Nothing of it is ever shown by ``repr``.

    ``protected`` tells whether name and address are protected (security label R).
    """

    system: str
    number: str = field(repr=False)
    name: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    protected: bool | None = None


def detail_of(text: str) -> str | None:
    """Returns a message's text as the vault keeps it, None where nothing is left of it.

    Signs that nobody sees and that turn or cut what is shown beside them are left out: a letter isn't lost for them.
    """
    return _UNFIT.sub("", " ".join(text.split()))[:DETAIL_CHARACTERS_MAX].strip() or None

"""Everything that the pages need beside the gateway's desk, opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.gateway.clients.clients import Clients
    from connectors.pages.attempts import Attempts
    from connectors.pages.case_list import CaseList
    from connectors.pages.history import History
    from connectors.pages.names import Names
    from connectors.pages.need_list import NeedList
    from connectors.pages.needs import NeedStore
    from connectors.pages.sessions import Sessions
    from connectors.pages.worklist import Worklist


@dataclass(frozen=True, slots=True)
class Office:
    """What the pages work with beside the gateway's desk."""

    clients: Clients
    sessions: Sessions
    attempts: Attempts
    names: Names
    worklist: Worklist
    case_list: CaseList
    needs: NeedStore
    need_list: NeedList
    history: History
    links_key: bytes

"""The published Avro schemas: append-only files ``avro/<Name>.v<N>.avsc``."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("avro")


@cache
def published_schemas(name: str) -> tuple[dict[str, Any], ...]:
    """Returns every published version of a model's schema, oldest first."""
    numbered = {int(re.findall(r"\.v(\d+)\.avsc$", path.name)[0]): path for path in FOLDER.glob(f"{name}.v*.avsc")}
    return tuple(json.loads(numbered[version].read_text(encoding="utf-8")) for version in sorted(numbered))

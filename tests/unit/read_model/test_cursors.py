"""Cursors as clients hand them back."""

from __future__ import annotations

import base64
import json

from connectors.read_model.cursors import Cursor


def test_a_partition_is_named_by_digits_of_ascii_alone() -> None:
    content = json.dumps({"v": 1, "p": "headspace", "o": {"3": 7, "\u0663": 9}})

    cursor = Cursor.read("headspace", base64.urlsafe_b64encode(content.encode()).decode())

    assert cursor.following == {3: 7}

"""Where a file names one part from many places, reading takes as long as what it has to look at, not their product.

Both parts grow at once: eight times as many bytes of each. What looks at one part anew for each place in the other
takes sixty-four times as long. Time is measured as in ``test_linear_time``: against itself, with a factor for noise.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from connectors.municipal.rows import read_list
from tests.unit.growth.workbook_products import PRODUCTS
from tests.unit.municipal.builders import ROWS_MAX, a_mapping

if TYPE_CHECKING:
    from tests.unit.growth.workbook_products import Make

pytestmark = pytest.mark.long
GROWTH, NOISE, TRIES = 8, 4, 4
SECONDS_FLOOR = 0.005


def _seconds(content: bytes) -> float:
    began = time.process_time()
    read_list(content, a_mapping(), ROWS_MAX)
    return time.process_time() - began


def _grows_faster(make: Make, small: int) -> bool:
    """Tells whether time grows faster than bytes do; what seems to is measured again, for a machine may stumble."""
    few, many = make(small), make(small * GROWTH)
    return all(_seconds(many) > GROWTH * NOISE * max(_seconds(few), SECONDS_FLOOR) for _ in range(TRIES))


@pytest.mark.parametrize("name", sorted(PRODUCTS))
def test_two_parts_that_grow_together_take_no_more_time_than_their_bytes(name: str) -> None:
    assert not _grows_faster(*PRODUCTS[name])

"""Not one row lost, doubled or altered, whatever fails and however often the process is killed.

``THUMBPRINT_EVENTS`` and ``THUMBPRINT_KILLS`` make it longer; ``python tests/benchmarks/delivery.py``
runs it in full.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.supabase.endurance import run
from tests.supabase.servers import Api

pytestmark = pytest.mark.slow


def test_nothing_is_lost_doubled_or_altered(api: Api, tmp_path: Path) -> None:
    events = int(os.environ.get("THUMBPRINT_EVENTS", "1000"))
    kills = int(os.environ.get("THUMBPRINT_KILLS", "4"))

    outcome = run(api, tmp_path, events=events, kills=kills)

    assert outcome.kills == kills
    assert outcome.failed > 10
    assert (outcome.arrived, outcome.doubled, outcome.missing) == (events, 0, 0)
    assert (outcome.altered, outcome.stale, outcome.set_aside) == (0, 0, 0)

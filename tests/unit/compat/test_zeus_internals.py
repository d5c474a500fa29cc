"""The files of energy counters that zeus finds, in a fake powercap tree."""

import pytest

from llmops.compat import zeus_internals
from tests.support.fake_powercap import RANGE_UJ, fake_powercap


@pytest.fixture
def powercap(tmp_path):
    with fake_powercap(tmp_path) as fake:
        yield fake


def test_a_package_and_its_memory_are_found_and_zones_within_or_around_them_are_not(powercap):
    package, memory = zeus_internals.cpu_counters()
    assert (package.name, int(package.path.read_text()), package.range_uj) == ("CPU 0", 5_000_000, RANGE_UJ)
    assert (memory.name, int(memory.path.read_text()), memory.range_uj) == ("memory 0", 2_000_000, RANGE_UJ)


def test_zeus_own_reading_still_starts_a_process(powercap, monkeypatch):
    from zeus.device import get_cpus
    from zeus.device.cpu import rapl

    def started(*_):
        raise AssertionError("a process was started")

    monkeypatch.setattr(rapl, "RaplWraparoundTracker", started)
    with pytest.raises(AssertionError, match="a process was started"):
        get_cpus().get_total_energy_consumption(0)
        pytest.fail("zeus_internals is no longer needed: zeus reads its counters itself.")

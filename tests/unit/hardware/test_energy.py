"""The energy meter against a fake powercap tree and a fake driver, since no counter is to be had where tests run.

zeus finds and reads them as it would the real ones; what is faked is the kernel's folder and NVML's answers.
"""

import threading

import pytest

from llmops.hardware import energy
from llmops.hardware.energy import Counter, EnergyWindow, counters
from tests.support.fake_powercap import RANGE_UJ, fake_powercap


@pytest.fixture
def powercap(tmp_path):
    with fake_powercap(tmp_path) as fake:
        yield fake


def test_a_fake_powercap_tree_is_counted_once_a_package_and_its_memory(powercap):
    assert [counter.name for counter in counters("cpu")] == ["CPU 0", "memory 0"]
    assert [counter.read_j() for counter in counters("cpu")] == [5.0, 2.0]


def test_with_a_fake_powercap_tree_a_run_takes_what_the_counters_say_above_idle(powercap):
    stop = threading.Event()

    def idle():
        while not stop.wait(0.01):  # up to 10 W
            powercap.add("intel-rapl:0", 0.1)

    thread = threading.Thread(target=idle)
    thread.start()
    energy._idle_watts("cpu")
    stop.set()
    thread.join()
    with EnergyWindow("cpu") as window:
        powercap.add("intel-rapl:0", 36.0)
        powercap.add("intel-rapl:0/intel-rapl:0:0", 30.0)  # in the package already
        powercap.add("intel-rapl:0/intel-rapl:0:1", 7.2)
    assert window.energy.total_wh == pytest.approx(43.2 / 3600)
    assert 0 < window.energy.idle_w < 15
    assert window.energy.wh <= window.energy.total_wh
    assert window.energy.wh == pytest.approx(43.2 / 3600, rel=0.05)  # the window is short, so idle takes little
    assert window.energy.covers == ("CPU 0", "memory 0")


def test_with_a_fake_powercap_tree_a_counter_that_begins_again_is_read_right(powercap):
    powercap.add("intel-rapl:0", RANGE_UJ / 1e6 - 5.0 - 1.0)  # one joule below its end
    with EnergyWindow("cpu") as window:
        powercap.add("intel-rapl:0", 3.0)
    assert window.energy.total_wh == pytest.approx(3.0 / 3600, rel=1e-3)


class FakeGpus:
    """As much of zeus' GPUs as is read: millijoules since the driver was loaded."""

    def __init__(self, volta=True):
        self.volta, self.millijoules = volta, 1_000_000

    def supports_get_total_energy_consumption(self, index):
        return self.volta

    def get_total_energy_consumption(self, index):
        return self.millijoules


@pytest.mark.parametrize("volta", [True, False])
def test_with_a_fake_driver_a_gpus_counter_is_added_where_it_has_one(powercap, monkeypatch, volta):
    import zeus.device

    gpus = FakeGpus(volta)
    monkeypatch.setattr(zeus.device, "get_gpus", lambda: gpus)
    names = [counter.name for counter in counters("cuda:1")]
    assert names == ["CPU 0", "memory 0", *(["GPU 1"] if volta else [])]
    with EnergyWindow("cuda:1") as window:
        gpus.millijoules += 3_600_000
    assert window.energy.total_wh == pytest.approx(1.0 if volta else 0.0)


def test_with_a_fake_powercap_tree_that_breaks_a_run_goes_on_without_energy(powercap):
    counters("cpu")
    (powercap.root / "intel-rapl:0" / "energy_uj").unlink()
    with EnergyWindow("cpu") as window:
        pass
    assert window.energy is None


def test_where_nothing_is_counted_energy_is_unknown_and_not_zero(monkeypatch):
    monkeypatch.setattr(energy, "counters", lambda device: ())
    with EnergyWindow("cpu") as window:
        pass
    assert window.energy is None


def test_a_difference_is_taken_modulo_the_counters_range():
    values = iter([3.0])
    assert Counter("x", lambda: next(values), 10.0).since(9.0) == 4.0

"""Cost and energy of recorded rows, against figures computed by hand."""

from dataclasses import replace

import pytest

from llmops.catalog import prices
from llmops.core.errors import InputError
from llmops.core.run import Source
from llmops.decision import ecologits
from llmops.decision.assumptions import assume, guess_cpu, guess_gpu
from llmops.decision.cost import break_even, cost, curve, own_usd
from llmops.decision.energy import energy
from llmops.decision.usage import parsed
from tests.support.recorded_rows import DECODER, ENCODER, HARDWARE, HOSTED, OPENAI, remote, row, stage

AT = assume({"utilisation": 0.5, "cpu_usd_hour": 0.36, "cpu_watts": 36, "g_per_kwh": 400}, HARDWARE)


def test_every_price_machine_and_grid_has_a_source_and_a_date():
    for entry in (*prices.token_prices(), *prices.machines(), *prices.currencies()):
        assert entry.source
        assert entry.date
    for entry in prices.grids():
        assert entry.source
        assert 2020 <= entry.year <= 2026
    for entry in (*prices.endpoints(), *prices.pues()):
        assert entry.source
    for entry in prices.token_prices():
        assert str(parsed(entry.model)) == entry.model


def test_an_api_costs_its_tokens():
    # 100 · 0.75 + 10 · 4.50 = 120 USD for a million requests: 0.12 for 1,000
    found = cost(OPENAI, [remote(OPENAI, 0), remote(OPENAI, 1)], AT)
    assert 1000 * found.usd == pytest.approx(0.12)
    assert found.machines == {}


def test_an_own_machine_costs_its_hours_and_its_idle_ones_too():
    # 0.36 USD an hour is 0.0001 a second; 2 s a request at half use: 0.0004 a request, 0.4 for 1,000
    found = cost(DECODER, [row(DECODER, 0, e2e_s=1.0), row(DECODER, 1, e2e_s=3.0)], AT)
    assert 1000 * found.usd == pytest.approx(0.4)
    assert found.machines["CPU, 2 cores"] == (0.36, pytest.approx(2.0))
    assert "50% utilisation" in found.how


def test_a_cascade_costs_the_stages_that_ran():
    alone = row("cascade(embedded/encoder@fp32, openai/gpt-5.4-mini, 0.9)", 0, stages=(stage(ENCODER, 0.1),))
    both = row(
        alone.candidate, 1, sent_to="OpenAI", stages=(stage(ENCODER, 0.1), stage(OPENAI, 1.0, 100, 10, "remote"))
    )
    found = cost(alone.candidate, [alone, both], AT)
    # encoder: 0.1 s · 0.0001 / 0.5 = 0.00002 each time; API: 0.00012 every second time
    assert 1000 * found.usd == pytest.approx(0.02 + 0.06)
    assert found.tokens_usd == pytest.approx(0.00006)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([remote(HOSTED, 0)], "no price is known"),
        ([row(DECODER, 0, e2e_s=None)], "no time was measured"),
        ([row(DECODER, 0, device="cuda:0")], "no price by the hour"),
        ([row(DECODER, 0, failed=True)], "no text was answered"),
        ([remote(OPENAI, 0, wrote=None)], "no token count"),
    ],
)
def test_what_is_not_known_is_blank_and_says_why(rows, why):
    found = cost(rows[0].candidate, rows, AT)
    assert found.usd is None
    assert why in found.why_not


def test_a_server_on_this_machine_is_paid_by_the_hour_and_not_by_tokens_it_has_no_price_for():
    name = "openai/llmops/embedded/decoder"
    found = cost(name, [row(name, 0, device="remote", sent_to="")], AT)
    assert 1000 * found.usd == pytest.approx(0.2)


def test_local_is_never_priced_at_zero():
    with pytest.raises(InputError, match="not free"):
        assume({"cpu_usd_hour": 0}, HARDWARE)
    with pytest.raises(InputError, match="somebody pays"):
        assume({"prices": {DECODER: [0, 0]}}, HARDWARE)
    assert assume({"prices": {"openai/free": [0, 0]}}, HARDWARE).token_price("openai/free").input_usd == 0


def test_break_even_is_where_the_months_rent_equals_what_the_api_would_have_asked():
    own, api = cost(DECODER, [row(DECODER, 0, e2e_s=1.0)], AT), cost(OPENAI, [remote(OPENAI, 0)], AT)
    found = break_even(own, api, AT)
    # rent 0.36 · 730 = 262.80; the API asks 0.00012: 2.19 million; one machine answers 730 · 3600 · 0.5 = 1.314 million
    assert found.volume is None
    assert "2,190,000" in found.sentence
    assert "1,314,000" in found.sentence
    quicker = cost(DECODER, [row(DECODER, 0, e2e_s=0.1)], AT)
    assert break_even(quicker, api, AT).volume == pytest.approx(2_190_000)
    assert own_usd(quicker, 2_190_000, AT) == pytest.approx(1000 * api.usd)
    points = curve(quicker, api, AT)
    assert [point.volume for point in points] == sorted(point.volume for point in points)
    assert (points[0].own_usd > points[0].api_usd) and (points[40].own_usd < points[0].own_usd)
    assert own_usd(quicker, 13_140_001, AT) == pytest.approx(2 * 262.8 * 1000 / 13_140_001)  # a second machine
    assert break_even(api, own, AT) is None


def test_money_is_told_in_the_chosen_currency_with_its_date():
    euro = assume({"currency": "eur"}, HARDWARE).currency
    assert euro.date == "2025-12-31"
    assert assume({"currency": "EUR", "per_usd": 0.5}, HARDWARE).money(3.0) == 1.5


def test_machines_are_guessed_from_the_hardware_line():
    assert guess_cpu(HARDWARE).name == "CPU, 2 cores"
    assert guess_cpu("X, 64 cores, 128 GiB RAM, no GPU").usd_hour == pytest.approx(4 * 0.536)
    assert guess_cpu("") is None
    names = {
        "X, 4 cores, Tesla T4 (15 GiB)": "T4", "X, NVIDIA L4 (22 GiB)": "L4", "X, NVIDIA L40S (45 GiB)": "L40S",
        "X, NVIDIA A100-SXM4-80GB (80 GiB)": "A100 80", "X, NVIDIA A100-SXM4-40GB (40 GiB)": "A100 40",
        "X, NVIDIA H100 80GB HBM3 (80 GiB)": "H100", "X, NVIDIA GeForce RTX 4090 (24 GiB)": "RTX 4090",
    }  # fmt: skip
    for line, name in names.items():
        assert guess_gpu(line).name == name, line
    assert guess_gpu(HARDWARE) is None


@pytest.mark.parametrize(
    "given",
    [
        {"nonsense": 1}, {"utilisation": 0}, {"utilisation": "0.3"}, {"utilisation": True}, {"currency": "XXX"},
        {"grid": "Atlantis"}, {"cpu_machine": "Cray"}, {"prices": []}, {"prices": {"openai/x": [1]}},
        {"prices": {"openai/x": [1, -1]}}, {"g_per_kwh": -1}, {"per_usd": 0}, "[]",
    ],
)  # fmt: skip
def test_a_wrong_assumption_says_what_to_write(given):
    with pytest.raises(InputError) as caught:
        assume(given, HARDWARE)
    assert caught.value.remedy


def test_measured_energy_is_taken_as_it_is_and_marked():
    found = energy(DECODER, [row(DECODER, 0, wh=0.001), row(DECODER, 1, wh=0.003)], AT)
    assert found.wh == (pytest.approx(2.0), pytest.approx(2.0))
    assert found.co2_g[0] == pytest.approx(0.8)  # 2 Wh at 400 g a kWh
    assert found.source == Source.CLIENT


def test_where_nothing_was_measured_energy_is_watts_times_time_and_marked_estimated():
    found = energy(DECODER, [row(DECODER, 0, e2e_s=2.0)], AT)
    assert found.wh[0] == pytest.approx(1000 * 36 * 2 / 3600)
    assert found.source == Source.ESTIMATED
    mixed = energy(DECODER, [row(DECODER, 0, wh=0.001), row(DECODER, 1)], AT)
    assert mixed.source == Source.ESTIMATED


def test_ecologits_formula_gives_what_its_package_gives():
    # ecologits 0.11.3's compute_llm_impacts with the same parameters, PUE, 300 output tokens and 10 s, in Wh
    seventy = ecologits.watt_hours(ecologits.size_of(parsed(HOSTED)), 300, 10.0)
    assert seventy == (pytest.approx(0.13394564925037526), pytest.approx(0.1400899450875484))
    mini = ecologits.watt_hours(ecologits.size_of(parsed(OPENAI)), 300, 10.0)
    assert mini == (pytest.approx(0.058187020394605564), pytest.approx(0.4000191050451077))
    found = energy(OPENAI, [remote(OPENAI, 0, e2e_s=10.0, wrote=300)], AT)
    assert found.wh == (pytest.approx(58.187020394605564), pytest.approx(400.0191050451077))
    assert ecologits.VERSION in found.how


def test_an_endpoint_that_nobody_has_sized_has_no_energy():
    found = energy("openai/secret", [remote("openai/secret", 0)], AT)
    assert found.wh is None
    assert "size" in found.why_not


def batched(candidate, place, seconds, texts, **more):
    unbatched = row(candidate, place, e2e_s=None, **more)
    return replace(unbatched, run=replace(unbatched.run, settings={"batch_s": seconds, "batch_texts": texts}))


def test_texts_alone_and_texts_in_a_batch_are_never_mixed_in_one_figure():
    mixed = [row(DECODER, 0, e2e_s=1.0), batched(DECODER, 1, 2.0, 10), batched(DECODER, 2, 2.0, 10)]
    assert 1000 * cost(DECODER, mixed, AT).usd == pytest.approx(0.2)  # 1 s · 0.0001 / 0.5
    many = assume(
        {"utilisation": 0.5, "cpu_usd_hour": 0.36, "cpu_watts": 36, "g_per_kwh": 400, "together": True}, HARDWARE
    )
    found = cost(DECODER, mixed, many)
    assert 1000 * found.usd == pytest.approx(0.04)  # 2 s for 10 texts
    assert "in batches" in found.how
    assert energy(DECODER, mixed, many).wh[0] == pytest.approx(1000 * 36 * 0.2 / 3600)
    assert cost(DECODER, mixed[:1], many).usd == cost(DECODER, mixed[:1], AT).usd

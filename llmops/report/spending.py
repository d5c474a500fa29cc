"""Cost and energy of a decision report as HTML: 1,000 requests, what that rests on, and where own machines pay."""

from html import escape as _e

from llmops.catalog.prices import Machine
from llmops.core.format import count, money
from llmops.core.run import Source
from llmops.decision.cost import HOURS_A_MONTH, Cost, curve, own_usd
from llmops.decision.decision_report import DecisionReport
from llmops.decision.energy import EnergyUse
from llmops.report.axis import fitted
from llmops.report.chart import figure
from llmops.report.plot import BROAD, Mark, Plot, Series
from llmops.report.tables import row, sentences, table

_SHARES = (0.01, 0.1, 0.5, 1.0, 2.0)  # of one machine's capacity: the volumes in the table


def costs(report: DecisionReport) -> str:
    """1,000 requests of each candidate, how that is reckoned, and what it rests on; unknown ones say why."""
    sign, at = report.at.currency.sign, report.at
    dollars = ("In USD",) if at.currency.code != "USD" else ()
    titles = ("Candidate", f"1,000 requests, {at.currency.code}", *dollars, "A machine answers, a month", "Reckoned")
    body = "".join(
        row(
            figures.candidate,
            (
                money(figures.cost_per_1000, sign),
                *(money(None if figures.cost.usd is None else 1000 * figures.cost.usd, "$") for _ in dollars),
                _capacity(figures.cost, at.utilisation),
                figures.cost.how or f"not known: {figures.cost.why_not}",
            ),
        )
        for figures in report.figures
    )
    return table(titles, body) + sentences(rests(report))


def _capacity(cost: Cost, utilisation: float) -> str:
    capacity = cost.capacity(utilisation)
    return "" if capacity is None else count(round(capacity))


def rests(report: DecisionReport) -> list[str]:
    """The prices, rate and machines that were used, each with date and source."""
    at, used = report.at, {part for figures in report.figures for part in figures.cost.machines}
    lines = [
        f"{price.model}: ${price.input_usd:g} read and ${price.output_usd:g} written for a million tokens "
        f"({price.date}; {price.source})."
        for price in at.tokens
        if any(price.model in cost.candidate for cost in (*report.apis, *(figures.cost for figures in report.figures)))
    ]
    lines += [_machine(machine) for machine in (at.cpu, at.gpu) if machine is not None and machine.name in used]
    lines.append(f"Machines are at work {at.utilisation:.0%} of the hours they are paid for.")
    if at.currency.code != "USD":
        lines.append(f"1 USD is {at.currency.per_usd:g} {at.currency.code} ({at.currency.date}; {at.currency.source}).")
    return lines


def _machine(machine: Machine) -> str:
    price = "price not known" if machine.usd_hour is None else f"${machine.usd_hour:.4g} an hour"
    return f"{machine.name}: {price}, {machine.watts:.3g} W at work ({machine.date}; {machine.source})."


def break_even(report: DecisionReport, own: str = "", api: str = "") -> str:
    """Cost of 1,000 requests by monthly volume: an own machine's falls, an API's stays. Defaults: choice, first API."""
    owns, apis = ({cost.candidate: cost for cost in sort} for sort in (report.owns, report.apis))
    if not owns or not apis:
        return '<p class="lo-lead">A break-even needs a candidate on a machine with a price, and an API with one.</p>'
    fallback = report.decision.choice if report.decision.choice in owns else next(iter(owns))
    mine, other = owns.get(own) or owns[fallback or ""], apis.get(api) or next(iter(apis.values()))
    points = curve(mine, other, report.at)
    if not points:
        return ""
    sign, rate = report.at.currency.sign, report.at.currency.per_usd
    across = fitted("requests a month", [point.volume for point in points], _short, scale="logarithmic")
    heights = [usd * rate for point in points for usd in (point.own_usd, point.api_usd)]
    upwards = fitted("cost of 1,000", heights, lambda amount: money(amount, sign))
    series = [
        Series(mine.candidate, 0, line=tuple((point.volume, point.own_usd * rate) for point in points)),
        Series(other.candidate, 1, line=tuple((point.volume, point.api_usd * rate) for point in points)),
    ]
    pair = (mine.candidate, other.candidate)
    meeting = next((even for even in report.break_evens if (even.own, even.api) == pair), None)
    guides = []
    if meeting and meeting.volume is not None and across.holds(meeting.volume):
        title = f"equal at {meeting.volume:,.0f} requests a month"
        height = 1000 * (other.usd or 0.0) * rate
        series.append(Series("", 0, (Mark(meeting.volume, height, title, f"{meeting.volume:,.0f}", 6),)))
        guides.append(((meeting.volume, upwards.low), (meeting.volume, upwards.high)))
    title = f"Cost of 1,000 requests by monthly volume: {mine.candidate} and {other.candidate}"
    plot = Plot(title, across, upwards, tuple(series), guides=tuple(guides), canvas=BROAD)
    sentence = f'<p class="lo-lead">{_e(meeting.sentence)}</p>' if meeting else ""
    return f"{sentence}{figure(plot)}{_volumes(report, mine, other)}"


def _volumes(report: DecisionReport, mine: Cost, other: Cost) -> str:
    """The curve's figures at a few volumes."""
    capacity, rate, sign = (
        mine.capacity(report.at.utilisation) or 0.0,
        report.at.currency.per_usd,
        report.at.currency.sign,
    )
    titles = ("Requests a month", "Machines", "1,000 on own machines", "1,000 by the API", "A month on own machines")
    body = ""
    for share in _SHARES:
        volume = capacity * share
        amount = own_usd(mine, volume, report.at)
        cells = (
            f"{-(-share // 1):.0f}",
            money(amount * rate, sign),
            money(1000 * (other.usd or 0.0) * rate, sign),
            money(amount * rate * volume / 1000, sign),
        )
        body += row(f"{volume:,.0f}", cells)
    note = f'<p class="lo-legend">A month has {HOURS_A_MONTH:.0f} hours; a machine is paid for all of them.</p>'
    return table(titles, body) + note


def _short(value: float) -> str:
    for unit, factor in (("M", 1e6), ("k", 1e3)):
        if value >= factor:
            return f"{value / factor:.3g}{unit}"
    return f"{value:.3g}"


def energies(report: DecisionReport) -> str:
    """Wh and CO2 of 1,000 requests: measured or estimated, and how."""
    grid = report.at.grid
    titles = ("Candidate", "Wh for 1,000", "g CO2e for 1,000", "Known", "How")
    body = "".join(
        row(
            figures.candidate,
            (
                _ends(figures.energy.wh),
                _ends(figures.energy.co2_g),
                _known_how(figures.energy),
                figures.energy.how or f"not known: {figures.energy.why_not}",
            ),
        )
        for figures in report.figures
    )
    notes = (
        f"Grid: {grid.name}, {grid.g_per_kwh:g} g CO2e a kWh ({grid.year}; {grid.source}); taken for APIs too, since "
        "nobody tells where they ran.",
        "Measured is above idle, of the whole machine. Estimated here is a processor at full power for the time taken, "
        "without memory, cooling and idle hours; an API's is its data centre's share, a range. They are not the same "
        "boundary: compare orders of magnitude.",
    )
    return table(titles, body) + sentences(notes)


def _known_how(energy: EnergyUse) -> str:
    if energy.wh is None:
        return ""
    return "measured" if energy.source == Source.CLIENT else "estimated"


def _ends(ends: tuple[float, float] | None) -> str:
    if ends is None:
        return ""
    low, high = (f"{end:.3g}" for end in ends)
    return low if low == high else f"{low} to {high}"

"""Cost and energy of a decision board as HTML: 1,000 requests, what that rests on, and where own machines pay."""

from html import escape as _e

from llmops.catalog.prices import Machine
from llmops.core.format import count, money
from llmops.core.run import Source
from llmops.decision.board import Board
from llmops.decision.cost import HOURS_A_MONTH, Cost, curve, own_usd
from llmops.report.svg import Axis, Plot, Point, key
from llmops.report.tables import row, sentences, table
from llmops.report.ticks import fitted, log_ticks

_SHARES = (0.01, 0.1, 0.5, 1.0, 2.0)  # of one machine's capacity: the volumes in the table


def costs(board: Board) -> str:
    """1,000 requests of each candidate, how that is reckoned, and what it rests on; unknown ones say why."""
    sign, at = board.at.currency.sign, board.at
    dollars = ("In USD",) if at.currency.code != "USD" else ()
    titles = ("Candidate", f"1,000 requests, {at.currency.code}", *dollars, "A machine answers, a month", "Reckoned")
    body = "".join(
        row(
            one.candidate,
            (
                money(one.cost_per_1000, sign),
                *(money(None if one.cost.usd is None else 1000 * one.cost.usd, "$") for _ in dollars),
                _capacity(one.cost, at.utilisation),
                one.cost.how or f"not known: {one.cost.why_not}",
            ),
        )
        for one in board.figures
    )
    return table(titles, body) + sentences(rests(board))


def _capacity(cost: Cost, utilisation: float) -> str:
    capacity = cost.capacity(utilisation)
    return "" if capacity is None else count(round(capacity))


def rests(board: Board) -> list[str]:
    """The prices, rate and machines that were used, each with date and source."""
    at, used = board.at, {part for one in board.figures for part in one.cost.machines}
    lines = [
        f"{price.model}: ${price.input_usd:g} read and ${price.output_usd:g} written for a million tokens "
        f"({price.date}; {price.source})."
        for price in at.tokens
        if any(price.model in one.candidate for one in (*board.apis, *(figure.cost for figure in board.figures)))
    ]
    lines += [_machine(one) for one in (at.cpu, at.gpu) if one is not None and one.name in used]
    lines.append(f"Machines are at work {at.utilisation:.0%} of the hours they are paid for.")
    if at.currency.code != "USD":
        lines.append(f"1 USD is {at.currency.per_usd:g} {at.currency.code} ({at.currency.date}; {at.currency.source}).")
    return lines


def _machine(one: Machine) -> str:
    price = "price not known" if one.usd_hour is None else f"${one.usd_hour:.4g} an hour"
    return f"{one.name}: {price}, {one.watts:.3g} W at work ({one.date}; {one.source})."


def break_even(board: Board, own: str = "", api: str = "") -> str:
    """Cost of 1,000 requests by monthly volume: an own machine's falls, an API's stays. Defaults: choice, first API."""
    owns, apis = {one.candidate: one for one in board.owns}, {one.candidate: one for one in board.apis}
    if not owns or not apis:
        return '<p class="lo-lead">A break-even needs a candidate on a machine with a price, and an API with one.</p>'
    fallback = board.decision.choice if board.decision.choice in owns else next(iter(owns))
    mine, other = owns.get(own) or owns[fallback or ""], apis.get(api) or next(iter(apis.values()))
    points = curve(mine, other, board.at)
    if not points:
        return ""
    sign, rate = board.at.currency.sign, board.at.currency.per_usd
    volumes = [point.volume for point in points]
    across = Axis(
        "requests a month", volumes[0], volumes[-1], tuple(log_ticks(volumes[0], volumes[-1])), _short, log2=True
    )
    heights = [usd * rate for point in points for usd in (point.own_usd, point.api_usd)]
    upwards = fitted("cost of 1,000", heights, lambda amount: money(amount, sign))
    plot = Plot(f"Cost of 1,000 requests by monthly volume: {mine.candidate} and {other.candidate}", across, upwards)
    plot.line([(point.volume, point.own_usd * rate) for point in points], 0, mine.candidate)
    plot.line([(point.volume, point.api_usd * rate) for point in points], 1, other.candidate)
    found = next((one for one in board.break_evens if (one.own, one.api) == (mine.candidate, other.candidate)), None)
    if found and found.volume is not None:
        height = 1000 * (other.usd or 0.0) * rate
        plot.guide([(found.volume, upwards.low), (found.volume, upwards.high)])
        plot.points([Point(found.volume, height, f"equal at {found.volume:,.0f} requests a month", 6)], 0)
        plot.words(found.volume, height, f"{found.volume:,.0f}")
    said = f'<p class="lo-lead">{_e(found.sentence)}</p>' if found else ""
    return (
        f'{said}<figure class="lo-wide">{key((mine.candidate, other.candidate))}{plot.svg}</figure>'
        f"{_volumes(board, mine, other)}"
    )


def _volumes(board: Board, mine: Cost, other: Cost) -> str:
    """The curve's figures at a few volumes."""
    capacity, rate, sign = mine.capacity(board.at.utilisation) or 0.0, board.at.currency.per_usd, board.at.currency.sign
    titles = ("Requests a month", "Machines", "1,000 on own machines", "1,000 by the API", "A month on own machines")
    body = ""
    for share in _SHARES:
        volume = capacity * share
        amount = own_usd(mine, volume, board.at)
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


def energies(board: Board) -> str:
    """Wh and CO2 of 1,000 requests: measured or estimated, and how."""
    grid = board.at.grid
    titles = ("Candidate", "Wh for 1,000", "g CO2e for 1,000", "Known", "How")
    body = "".join(
        row(
            one.candidate,
            (
                _ends(one.energy.wh),
                _ends(one.energy.co2_g),
                "" if one.energy.wh is None else "measured" if one.energy.source == Source.CLIENT else "estimated",
                one.energy.how or f"not known: {one.energy.why_not}",
            ),
        )
        for one in board.figures
    )
    notes = (
        f"Grid: {grid.name}, {grid.g_per_kwh:g} g CO2e a kWh ({grid.year}; {grid.source}); taken for APIs too, since "
        "nobody tells where they ran.",
        "Measured is above idle, of the whole machine. Estimated here is a processor at full power for the time taken, "
        "without memory, cooling and idle hours; an API's is its data centre's share, a range. They are not the same "
        "boundary: compare orders of magnitude.",
    )
    return table(titles, body) + sentences(notes)


def _ends(ends: tuple[float, float] | None) -> str:
    if ends is None:
        return ""
    low, high = (f"{end:.3g}" for end in ends)
    return low if low == high else f"{low} to {high}"

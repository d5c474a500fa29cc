"""Figures as people read them: seconds, bytes, rates. Unknown is an empty string, never a zero."""


def seconds(value: float | None) -> str:
    """1.23 s, 45 ms, 2 min 5 s; what is shorter than any clock here tells is "< 0.1 ms"."""
    if value is None:
        return ""
    if value >= 120:
        return f"{int(value // 60)} min {value % 60:.0f} s"
    if value >= 1:
        return f"{value:.2f} s"
    if 0 < value < 1e-4:
        return "< 0.1 ms"
    return f"{value * 1000:.3g} ms"


def size(value: float | None) -> str:
    """Bytes in decimal units (kB, MB, GB)."""
    if value is None:
        return ""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value:.0f} B"


def rate(value: float | None, unit: str) -> str:
    """Such as 26.1 tok/s."""
    return "" if value is None else f"{value:,.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"


def count(value: int | None) -> str:
    """1,234."""
    return "" if value is None else f"{value:,}"


def percent(value: float | None) -> str:
    """98.7 %."""
    return "" if value is None else f"{value * 100:.1f} %"


def money(amount: float | None, sign: str) -> str:
    """€1.23, €0.00045: small amounts are not rounded to nothing. Unknown is empty."""
    if amount is None:
        return ""
    return f"{sign}{amount:,.2f}" if amount >= 1 or amount == 0 else f"{sign}{amount:.3g}"

"""Numbers as a person reads them: three figures at most, a unit, and a word for what never happened."""

from __future__ import annotations

NEVER = "never"
NONE = "\N{EN DASH}"


def duration(seconds: float | None) -> str:
    """A time span: 0.4 ms, 310 ms, 2.49 s, 37.1 s, 2 min 5 s. None is `never`: it was waited for in vain."""
    if seconds is None:
        return NEVER
    if seconds == 0:
        return "0 s"
    if seconds < 0.9995:
        return f"{figures(seconds * 1000)} ms"
    if seconds < 99.95:
        return f"{figures(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def size(count: float | None) -> str:
    """Bytes, in powers of a thousand as psutil's users expect them: 44.5 MB."""
    if count is None:
        return NONE
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if abs(value) < 999.5:
            return f"{figures(value)} {unit}"
        value /= 1000
    return f"{figures(value)} GB"


def factor(ratio: float | None) -> str:
    """A ratio: 1.02, 2.6 or 14, and the sign for times."""
    return NONE if ratio is None else f"{plain_factor(ratio)}\N{MULTIPLICATION SIGN}"


def plain_factor(ratio: float) -> str:
    """A ratio without the sign; two decimals are enough below one too."""
    return figures(ratio) if ratio >= 1 or ratio < 0.1 else f"{ratio:.2f}"


def count(number: object) -> str:
    """A number with thin spaces between thousands, and anything else as it is."""
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return NONE if number is None else str(number)
    if isinstance(number, float) and not number.is_integer():
        return figures(number)
    return f"{int(number):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def plural(number: int, one: str, many: str = "") -> str:
    """1 trial, 2 trials."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def figures(value: float) -> str:
    """Three significant figures, without an exponent and without zeros that say nothing."""
    if value == 0:
        return "0"
    if abs(value) >= 99.95:
        return f"{value:.0f}"
    places = 1 if abs(value) >= 9.995 else 2 if abs(value) >= 0.995 else 3
    return f"{value:.{places}f}".rstrip("0").rstrip(".") or "0"

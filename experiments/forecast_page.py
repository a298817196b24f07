"""The forecast in words and numbers for people: what the admin's page shows and the command prints."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.forecasts import AS_IT_IS, Found, OfVariant


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table; the texts are empty where there is an obstacle."""

    variant: str
    obstacle: str
    estimate: str
    interval: str
    change: str
    """Against the placement as it is; empty for that one."""
    covered: str
    effective_rows: str
    estimates: tuple[tuple[str, str, str], ...]
    """(estimator, value, interval) of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that is printed."""

    basis: str
    rows: tuple[Row, ...]


def page(found: Found) -> Page:
    """Return a forecast for people."""
    basis = (
        f"Of {found.places:,} items shown to {found.users:,} users in {found.lists:,} lists, {found.rate:.2%} led to "
        f"“{found.event_type}”."
    )
    if found.mixed:
        basis += f" {found.mixed:,} lists that mix variants are left out: how probable their items were is not known."
    return Page(basis=basis, rows=tuple(_row(one) for one in found.variants))


def sentence(found: Found | None) -> str:
    """Return in a sentence what was estimated of the variants, "" where nothing was."""
    told = [one for one in found.variants if one.variant != AS_IT_IS and one.estimates] if found is not None else []
    changes = ", ".join(f"{one.variant} {_change(one)}" for one in told)
    return f"Estimated from what was shown (Forecast): an item shown would earn, of 100, {changes}." if told else ""


def _change(one: OfVariant) -> str:
    return f"{100 * one.low:+.2f} to {100 * one.high:+.2f}"


def _row(one: OfVariant) -> Row:
    if one.obstacle:
        return Row(
            variant=one.variant or "as it is", obstacle=one.obstacle, estimate="", interval="", change="", covered="",
            effective_rows="", estimates=(),
        )  # fmt: skip
    estimates = tuple(
        (each.estimator, f"{each.value:.2%}", f"{each.low:.2%} to {each.high:.2%}") for each in one.estimates
    )
    return Row(
        variant=one.variant or "as it is",
        obstacle="",
        estimate=estimates[0][1],
        interval=estimates[0][2],
        change="" if one.variant == AS_IT_IS else f"{_change(one)} points",
        covered=f"{one.covered:.0%}",
        effective_rows=f"{one.effective_rows:,.0f}",
        estimates=estimates,
    )

"""How much of what a site of a given size needs: a plan from costs that `make bench` has measured.

Every coefficient names the row it is. The figures are of the machine in README's table (2 cores of a shared server), so
they are careful rather than bright; on other hardware run `make bench` and put its figures here. Nothing is priced.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

DAY = 86_400
GB = 1e9


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One measured cost."""

    value: float
    unit: str
    row: str
    """Name in `bench.json`, or what README says of it."""


LIST_SECONDS = Coefficient(0.0333, "core seconds a personal list", "growth: 1,000,000 items, of the core")
LIST_GROWTH = Coefficient(0.11, "exponent of that in items", "growth: exponent of time against items")
REPEATED_SECONDS = Coefficient(0.00113, "core seconds a kept list", "load: similar")
LIST_BYTES = Coefficient(2_800, "bytes an answer of 20 items", "serving: an answer of 20 items")
EVENT_SECONDS = Coefficient(0.0000418, "core seconds an event, in batches", "ingest: batches of 1,000 over HTTP")
POSTGRES_EVENTS = Coefficient(91_426, "events a second into one Postgres", "ingest: raw COPY of 1,000")
MODEL_BYTES = Coefficient(3_645, "bytes of model an item", "memory: 1,000,000 items, model on disk")
PROCESS_BYTES = Coefficient(131, "bytes of a web process an item", "memory: 1,000,000 items, a further worker")
PROCESS_BASE = Coefficient(130e6, "bytes of a web process without items", "memory: 1,000,000 items, a further worker")
EVENT_BYTES = Coefficient(192, "bytes of Postgres an event", "storage: Postgres, an event with its indexes")
LOG_BYTES = Coefficient(354, "bytes of Postgres' log an event", "storage: Postgres' log, an imported event")
SHOWN_BYTES = Coefficient(240, "bytes of Postgres a shown item", "storage: Postgres, a shown item with its indexes")
REDIS_BYTES = Coefficient(2_270, "bytes of Redis an active user", "storage: Redis, a user with 50 events")
TRAINING_BYTES = Coefficient(139, "bytes of memory an event trained on", "training: 20,000,000 events, peak memory")
TRAINING_SECONDS = Coefficient(
    0.000073, "core seconds an event trained on, ALS alone", "training: 20,000,000 events, rebuild with ALS alone"
)

COEFFICIENTS = [value for value in globals().values() if isinstance(value, Coefficient)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is asked, and what is assumed where nobody says."""

    users: int
    items: int
    events_per_day: int
    peak_qps: float
    """Lists a second in the busiest minute."""
    repeated: float = 0.3
    """Share of lists that are answered from those kept."""
    items_a_list: int = 20
    event_days: int = 90
    """How long events are kept and trained on."""
    impression_days: int = 7
    active: float = 0.3
    """Share of users whose history Redis holds."""
    peak: float = 3.0
    """Busiest minute, times the day's mean."""
    use: float = 0.5
    """Share of a core that may be busy at the peak; latencies of README's table are measured at half the rate."""
    copies: int = 2
    """Of everything in Postgres, Redis included: one may be lost."""
    cores: int = 32
    memory_gb: int = 256
    disk_tb: int = 8
    """Of one machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One kind of machine."""

    name: str
    machines: int
    limit: str
    """What makes it so many."""
    cores: float = 0.0
    memory_gb: float = 0.0
    disk_tb: float = 0.0
    network_gbps: float = 0.0
    note: str = ""


def plan(site: Site) -> list[Tier]:
    """Return the machines of each tier, in the order a request meets them.

    Raises
    ------
    ValueError
        A number that no site can have.
    """
    _check(site)
    return [_web(site), _redis(site), _kafka(site), _postgres(site), _training(site)]


def first_limit(tiers: list[Tier], copies: int) -> Tier | None:
    """Return the tier that takes most machines, None where each needs one, or its copies."""
    most = max(tiers, key=lambda tier: tier.machines)
    return most if most.machines > copies else None


def _web(site: Site) -> Tier:
    personal = LIST_SECONDS.value * max(site.items / 1e6, 0.01) ** LIST_GROWTH.value
    a_list = (1 - site.repeated) * personal + site.repeated * REPEATED_SECONDS.value
    cores = (site.peak_qps * a_list + _peak_events(site) * EVENT_SECONDS.value) / site.use
    process = PROCESS_BASE.value + site.items * PROCESS_BYTES.value
    model = site.items * MODEL_BYTES.value
    # Two versions while one is swapped for the other.
    fits = max((site.memory_gb * GB - 2 * model) / process, 0)
    processes = min(site.cores, math.floor(fits))
    if not processes:
        return Tier(name="web", machines=0, limit="memory", note=f"two models of {model / GB:.0f} GB fit no machine")
    machines = _machines(cores, processes)
    return Tier(
        name="web",
        machines=machines,
        limit="processors" if processes == site.cores else "memory",
        cores=cores,
        memory_gb=machines * (2 * model + processes * process) / GB,
        network_gbps=site.peak_qps * LIST_BYTES.value * 8 / GB,
        note=f"{processes} processes each",
    )


def _redis(site: Site) -> Tier:
    memory = site.users * site.active * REDIS_BYTES.value * site.copies / GB
    return Tier(
        name="redis", machines=_machines(memory, site.memory_gb * 0.7), limit="memory", memory_gb=memory,
        note="as a cluster" if memory > site.memory_gb else "",
    )  # fmt: skip


def _kafka(site: Site) -> Tier:
    # Needed where Postgres' machines alone cannot take the peak; three brokers are the fewest that may lose one.
    if _peak_events(site) <= POSTGRES_EVENTS.value * site.use:
        return Tier(name="kafka", machines=0, limit="", note="not needed: Postgres takes the peak itself")
    partitions = math.ceil(_peak_events(site) * EVENT_SECONDS.value / site.use)
    disk = site.events_per_day * 7 * EVENT_BYTES.value * 3 / 1e12
    return Tier(
        name="kafka", machines=max(3, _machines(disk, site.disk_tb)), limit="copies", disk_tb=disk,
        note=f"at least {partitions} partitions, one consumer each; a week is kept",
    )  # fmt: skip


def _postgres(site: Site) -> Tier:
    lists = site.peak_qps / site.peak * DAY
    events = site.events_per_day * site.event_days * EVENT_BYTES.value
    shown = lists * site.items_a_list * site.impression_days * SHOWN_BYTES.value
    disk = (events + shown) * site.copies / 1e12
    written = _peak_events(site) + lists * site.items_a_list / DAY * site.peak
    by_rate = _machines(written, POSTGRES_EVENTS.value * site.use) * site.copies
    by_disk = _machines(disk, site.disk_tb)
    machines = max(by_rate, by_disk)
    return Tier(
        name="postgres",
        machines=machines,
        limit="rows written" if by_rate >= by_disk else "disk",
        disk_tb=disk,
        network_gbps=written * LOG_BYTES.value * 8 * (site.copies - 1) / GB,
        note=f"{shown / (events + shown):.0%} of it what was shown" + (", as shards by user" if by_rate > 2 else ""),
    )


def _training(site: Site) -> Tier:
    events = site.events_per_day * site.event_days
    memory = events * TRAINING_BYTES.value / GB
    hours = events * TRAINING_SECONDS.value / site.cores / 3600
    fits = memory <= site.memory_gb
    return Tier(
        name="training", machines=_machines(memory, site.memory_gb), limit="memory", memory_gb=memory,
        note=f"{hours:.1f} h a rebuild on {site.cores} cores" if fits else "more than one machine holds: sample the "
        "events or shorten the days",
    )  # fmt: skip


def _peak_events(site: Site) -> float:
    return site.events_per_day / DAY * site.peak


def _machines(needed: float, one: float) -> int:
    return max(1, math.ceil(needed / one))


def _check(site: Site) -> None:
    for name in ("users", "items", "events_per_day", "peak_qps", "peak", "cores", "memory_gb", "disk_tb", "copies"):
        if getattr(site, name) <= 0:
            raise ValueError(f"{name.replace('_', '-')} must be above 0, got {getattr(site, name)}.")
    for name in ("repeated", "active"):
        if not 0 <= getattr(site, name) <= 1:
            raise ValueError(f"{name} is a share from 0 to 1, got {getattr(site, name)}.")
    if not 0 < site.use <= 1:
        raise ValueError(f"use is a share above 0, at most 1, got {site.use}.")

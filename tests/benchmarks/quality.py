"""How well the lists foretell what people take next, on real films, against baselines trained in the same run.

The last 20 % of each user's ratings by time are held out; every item that he had not taken by then is ranked. The
product trains and ranks behind the door of `manage.py evaluate`; its lists are read from the file that writes, and
measured here with `ranking`, not with the project's own metrics, which must agree.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

from recommender.training import offline
from tests.benchmarks import baselines, charts, films, ranking, splits
from tests.benchmarks.figures import Row, at_least, at_most
from tests.benchmarks.splits import Split
from tests.benchmarks.workbench import Workbench

K = 10
TARGET = at_least(0.15)


def run(bench: Workbench) -> Iterator[Row]:
    """Measure the final list, every source of it, and the baselines."""
    data = films.folder()
    if data is None:
        yield Row(name="quality: final list NDCG@10", value=None, unit="", target=TARGET, note=films.MISSING)
        return
    split = splits.by_time(films.ratings(data))
    wanted = split.held_out()
    took = split.train
    train_items = len(np.unique(took.items))
    product = _product(bench, data, split)
    lists = product.lists
    found = {"final list": ranking.ndcg(lists, wanted, K)}
    yield Row(name="quality: final list NDCG@10", value=found["final list"], unit="", target=TARGET)
    yield Row(name="quality: final list recall@20", value=ranking.recall(lists, wanted, 20), unit="")
    yield Row(name="quality: final list coverage@10", value=ranking.coverage(lists, K, train_items), unit="")
    difference = abs(found["final list"] - product.reported)
    yield Row(name="quality: NDCG@10, reported − recomputed", value=difference, unit="", target=at_most(1e-6))
    for name, value in product.sources.items():
        found[f"source {name}"] = value
        yield Row(name=f"quality: source {name} NDCG@10", value=value, unit="")
    taken = sparse.csr_matrix(
        (np.ones(len(took.users), dtype=np.float32), (took.users, took.items)),
        shape=(len(took.user_ids), len(took.item_ids)),
    )
    bench.step("baselines")
    for baseline in baselines.all_baselines(taken, wanted):
        found[baseline.name] = ranking.ndcg(baseline.lists, wanted, K)
        yield Row(name=f"quality: baseline {baseline.name} NDCG@10", value=found[baseline.name], unit="")
        if baseline.name == "implicit ALS":
            yield Row(name="quality: baseline implicit ALS training", value=baseline.fit_seconds, unit="s")
    yield Row(name="quality: training of all models", value=product.training_seconds, unit="s")
    users_a_second = len(wanted) / product.ranking_seconds
    yield Row(name="quality: ranking, final list and every source alone", value=users_a_second, unit="users/s")
    title = f"{films.NAME}, newest fifth of each history held out"
    charts.bars(bench.charts / "quality.svg", title, "NDCG@10", found, highlighted=["final list"], target=TARGET.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Product:
    """What the product's own evaluation came to."""

    lists: dict[int, list[int]]
    """The final lists, as written."""
    reported: float
    """NDCG@10 of the final lists by its own measure."""
    sources: dict[str, float]
    """NDCG@10 of every source alone, by its own measure."""
    training_seconds: float
    ranking_seconds: float


def _product(bench: Workbench, data: Path, split: Split) -> _Product:
    train, test, items, out = (bench.folder / f"{name}.csv" for name in ("train", "test", "items", "lists"))
    split.train.write(train)
    split.test.write(test)
    films.write_items(data, items)
    reached: list[tuple[str, float]] = []

    def stage(name: str) -> None:
        reached.append((name, time.perf_counter()))
        bench.step(name)

    done = 0

    def user_done(total: int) -> None:
        nonlocal done
        done += 1
        bench.tell("ranking", done, total)

    result = offline.run(train, test, items, k=K, stage=stage, user_done=user_done)
    ended = time.perf_counter()
    result.write_lists(out)
    training_began, ranking_began = reached[1][1], dict(reached)["ranking"]
    return _Product(
        lists=_read(out, split),
        reported=result.evaluation.final.ndcg,
        sources={name: metrics.ndcg for name, metrics in result.evaluation.sources.items()},
        training_seconds=ranking_began - training_began,
        ranking_seconds=ended - ranking_began,
    )


def _read(path: Path, split: Split) -> dict[int, list[int]]:
    user_of = {name: row for row, name in enumerate(split.train.user_ids)}
    # Films that nobody has rated are in the product's catalogue, too.
    item_of = {name: row for row, name in enumerate(split.train.item_ids)}
    lists: dict[int, list[int]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            lists.setdefault(user_of[row["user_id"]], []).append(item_of.setdefault(row["item_id"], len(item_of)))
    return lists

"""Jobs of Spark train: ALS by MLlib, items taken together and one after another by joins.

The distinct pairs go to Spark as one table, kept there while they are trained on; what comes back is as large as the
model. This process holds the pairs as well, 28 bytes each, for what is done on samples: tuning, the next-items model
(cuts drawn at random) and the ranking. So its memory bounds the pairs, and the cluster bounds the joins.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import TracebackType
from typing import Any, ClassVar, Self

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from scipy import sparse

from interactions.event_types import EventTypes
from interactions.training_weights import WeightTable
from recommender import conf
from recommender.arrays import RowArray
from recommender.training import item_to_item, stored_events
from recommender.training.als import AlsParameters
from recommender.training.dataset import Interactions
from recommender.training.dense_items import dense_items
from recommender.training.engines import spark_files, spark_reading, spark_session
from recommender.training.engines.base import Engine
from recommender.training.engines.spark_session import told
from recommender.training.item_to_item import ItemToItemParameters
from recommender.training.random_walk import RandomWalkParameters
from recommender.training.session import SessionParameters

LEAST_CONFIDENCE = 1e-6
"""Above an unseen item's: MLlib takes a rating of 0 for no preference."""


class SparkEngine(Engine):
    """Sessions of Spark, the first from `with`, the last to its end."""

    name: ClassVar[str] = "spark"

    def __init__(self) -> None:
        self._started: Any = None
        self._kept: tuple[Interactions, Any] | None = None
        """The pairs that were trained on last, and their table."""

    def __enter__(self) -> Self:
        self._started = spark_session.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.rest()

    def rest(self) -> None:
        # A child that ends closes the connection to Java that it has in common with this process, and what it forgets
        # Java forgets. A new session takes ten seconds, where the fit between two takes minutes.
        self._kept = None
        started, self._started = self._started, None
        if started is not None:
            spark_session.stop(started)

    @told("reading events")
    def load(
        self,
        item_pks: NDArray[np.int64],
        types: EventTypes,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> Interactions:
        shared = self._session.sparkContext.broadcast(item_pks)
        if folder := conf.get("SPARK").get("event_files"):
            events = spark_files.events(self._session, str(folder), types, lambda: shared.value)
            return _interactions(_columns(_pairs(events)), item_pks)
        with connection.cursor() as cursor:
            parts = [part for span in stored_events.spans(cursor) for part in span.split()]
        if not parts:
            return _interactions({name: np.empty(0) for name in ("user", "item", "weight", "occurred_at")}, item_pks)
        weights = WeightTable(weights=types.weights, liked_from=types.liked_from)
        with spark_reading.exported_snapshot() as (address, snapshot):
            rows = [(part.partition, part.first, part.last) for part in parts]
            spans = self._session.createDataFrame(rows, "partition string, first long, last long")
            read = spark_reading.reader(address, snapshot, lambda: shared.value, weights)
            tasks = min(len(parts), 4 * self._parallel())
            events = spans.repartition(tasks).mapInArrow(read, spark_reading.COLUMNS)
            return _interactions(_columns(_pairs(events)), item_pks)

    @told("popularity")
    def popularity(self, data: Interactions) -> NDArray[np.float32]:
        counted = _columns(self._table(data).groupBy("item").count())
        taken = np.zeros(data.n_items, dtype=np.float32)
        taken[counted["item"]] = counted["count"]
        return taken

    @told("collaborative")
    def collaborative(self, data: Interactions, parameters: AlsParameters, seed: int) -> NDArray[np.float32]:
        """Factors of MLlib's ALS under the same confidence, c = α · weight, and as much regularization in all.

        MLlib's confidence is 1 + rating, so the rating is c - 1; where c is below 1 it counts as 1. Its λ is multiplied
        by each user's and each item's number of pairs (Zhou et al. 2008, "Large-Scale Parallel Collaborative Filtering
        for the Netflix Prize"): divided by the mean of these numbers, the sum over all of λ is that of `als.train`.
        """
        ratings = self._table(data).withColumn(
            "rating", _f("greatest")(_f("lit")(LEAST_CONFIDENCE), _f("col")("weight") * parameters.alpha - 1)
        )
        taken = np.unique(data.items)
        numbers = 2 * len(data) / (len(np.unique(data.users)) + len(taken))
        als = import_module("pyspark.ml.recommendation").ALS(
            userCol="user",
            itemCol="item",
            ratingCol="rating",
            implicitPrefs=True,
            alpha=1.0,
            rank=min(parameters.factors, data.n_users, data.n_items),
            maxIter=parameters.iterations,
            regParam=parameters.regularization / numbers,
            numUserBlocks=self._parallel(),
            numItemBlocks=self._parallel(),
            seed=seed,
        )
        found = als.fit(ratings).itemFactors.toArrow()
        rows = found.column("id").to_numpy()
        vectors = found.column("features").combine_chunks().flatten().to_numpy().reshape(len(rows), -1)
        factors = np.zeros((data.n_items, vectors.shape[1]), dtype=np.float32)
        factors[rows] = vectors
        return factors

    @told("item to item")
    def item_to_item(self, data: Interactions, parameters: ItemToItemParameters) -> sparse.csr_matrix:
        """EASE: the items taken together by a join, the system of equations solved here, as large as fits."""
        items = dense_items(data, matrices=3)
        among = np.isin(data.items, items)
        lengths = np.bincount(data.users[among], minlength=data.n_users)
        share = np.maximum(lengths, 1).astype(np.float64) ** -parameters.user_exponent
        share /= max(np.average(share, weights=lengths) if among.any() else 1.0, 1e-12)
        together = np.zeros((len(items), len(items)), dtype=np.float32)
        found = _columns(self._together(data.take(among), share, itself=True))
        left, right = np.searchsorted(items, found["left"]), np.searchsorted(items, found["right"])
        together[left, right] = together[right, left] = found["counted"]
        return item_to_item.solve(together, items, parameters, data.n_items)

    @told("random walk")
    def random_walk(self, data: Interactions, parameters: RandomWalkParameters) -> sparse.csr_matrix:
        share = np.maximum(np.bincount(data.users, minlength=data.n_users), 1).astype(np.float64) ** -parameters.alpha
        taken = np.maximum(np.bincount(data.items, minlength=data.n_items), 1).astype(np.float64)
        once = self._together(data, share, itself=False)
        back = once.select(_f("col")("right").alias("left"), _f("col")("left").alias("right"), "counted")
        scales = taken**-parameters.alpha, taken**-parameters.beta
        return self._strongest(once.union(back), *scales, parameters.neighbours)

    @told("session")
    def session(self, data: Interactions, parameters: SessionParameters) -> sparse.csr_matrix:
        scale = 1 / np.sqrt(np.bincount(data.items, minlength=data.n_items) + parameters.smoothing)
        column, lit = _f("col"), _f("lit")
        pairs = self._table(data)
        steps = _f("explode")(_f("array")(*(lit(step) for step in range(1, parameters.window + 1))))
        before = pairs.select("user", "place", column("item").alias("left"), steps.alias("step"))
        before = before.withColumn("place", column("place") + column("step"))
        after = pairs.select("user", "place", column("item").alias("right"))
        counts = before.join(after, ["user", "place"]).groupBy("left", "right")
        counted = counts.agg(_f("sum")(lit(1.0) / column("step")).alias("counted"))
        return self._strongest(counted, scale, scale, parameters.neighbours)

    def _together(self, data: Interactions, share: NDArray[np.float64], *, itself: bool) -> Any:
        """Return a table of left, right and counted: over the users who took both, the sum of their `share`, (users,).

        Each pair stands once, left < right, or left <= right to have each item with `itself`.
        """
        column = _f("col")
        users, items = data.users.astype(np.int32), data.items.astype(np.int32)
        one = self._arrow_table(user=users, item=items, share=share[users])
        left = one.select("user", "share", column("item").alias("left"))
        right = one.select("user", column("item").alias("right"))
        order = column("left") <= column("right") if itself else column("left") < column("right")
        return left.join(right, "user").where(order).groupBy("left", "right").agg(_f("sum")("share").alias("counted"))

    def _strongest(
        self, counted: Any, left: NDArray[np.float64], right: NDArray[np.float64], n: int
    ) -> sparse.csr_matrix:
        """Return (items, items) float32: counted times what `left` and `right`, (items,), say; each row's `n` largest.

        Cut before it comes here: there are many more pairs than are kept.
        """
        column = _f("col")
        items = np.arange(len(left), dtype=np.int32)
        of_left, of_right = self._arrow_table(left=items, a=left), self._arrow_table(right=items, b=right)
        scaled = counted.join(of_left, "left").join(of_right, "right")
        scaled = scaled.select("left", "right", (column("counted") * column("a") * column("b")).alias("value"))
        order = import_module("pyspark.sql").Window.partitionBy("left").orderBy(column("value").desc(), "right")
        found = _columns(scaled.withColumn("rank", _f("row_number")().over(order)).where(column("rank") <= n))
        entries = found["value"].astype(np.float32), (found["left"], found["right"])
        return sparse.csr_matrix(entries, shape=(len(items), len(items)))

    def _table(self, data: Interactions) -> Any:
        """Return the pairs as a table that is kept: user, item, weight, place in the user's order."""
        if self._kept is None or self._kept[0] is not data:
            if self._kept is not None:
                self._kept[1].unpersist()
            places: RowArray = np.arange(len(data)) - np.repeat(data.user_starts()[:-1], np.diff(data.user_starts()))
            table = self._arrow_table(
                user=data.users.astype(np.int32),
                item=data.items.astype(np.int32),
                weight=data.weights,
                place=places.astype(np.int32),
            )
            self._kept = data, table.repartition(self._parallel(), "user").cache()
        return self._kept[1]

    def _arrow_table(self, **columns: NDArray[Any]) -> Any:
        return self._session.createDataFrame(import_module("pyarrow").table(columns))

    @property
    def _session(self) -> Any:
        if self._started is None:
            self._started = spark_session.start()
        return self._started

    def _parallel(self) -> int:
        return max(int(self._session.sparkContext.defaultParallelism), 1)


def _pairs(events: Any) -> Any:
    """Return of each pair the largest weight and the newest moment; disliked in the end, it is left out (`dataset`)."""
    pairs = events.groupBy("user", "item").agg(
        _f("max")("weight").alias("weight"),
        _f("max_by")("weight", "occurred_at").alias("newest"),
        _f("max")("occurred_at").alias("occurred_at"),
    )
    return pairs.where("newest > 0").drop("newest")


def _interactions(pairs: dict[str, NDArray[Any]], item_pks: NDArray[np.int64]) -> Interactions:
    user_pks, users = np.unique(pairs["user"].astype(np.int64), return_inverse=True)
    order = np.lexsort((pairs["item"], pairs["occurred_at"], users))
    return Interactions(
        users=users[order].astype(np.int64),
        items=pairs["item"][order].astype(np.int64),
        weights=pairs["weight"][order].astype(np.float32),
        occurred_at=pairs["occurred_at"][order].astype(np.float64),
        n_users=len(user_pks),
        n_items=len(item_pks),
    )


def _columns(table: Any) -> dict[str, NDArray[Any]]:
    """Return the rows of a table of Spark's as arrays by column; this is where its jobs run."""
    found = table.toArrow()
    return {name: found.column(name).to_numpy() for name in found.column_names}


def _f(name: str) -> Any:
    """Return a function of Spark's SQL."""
    return getattr(import_module("pyspark.sql.functions"), name)

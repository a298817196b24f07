"""Transitions: how often an item is taken within a few steps after another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommender.training.dataset import Interactions
from recommender.training.neighbour_matrix import strongest_of_sparse_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionParameters:
    """How transitions are counted and scaled."""

    window: int = 5
    """Steps that still count as "after"."""
    smoothing: float = 10.0
    """Added to both popularities under the root: keeps rare pairs from looking certain."""
    neighbours: int = 200
    """Entries kept for each item."""


def train(data: Interactions, parameters: SessionParameters) -> sparse.csr_matrix:
    """Return (items, items) float32: T[a, b] = Σ 1/step ÷ √((n_a + smoothing)(n_b + smoothing)).

    `step` is the distance between a and the later b in one user's time order, at most `window`; n is an item's users.
    """
    shape = (data.n_items, data.n_items)
    before, after, values = [], [], []
    for step in range(1, parameters.window + 1):
        same_user = data.users[:-step] == data.users[step:]
        before.append(data.items[:-step][same_user])
        after.append(data.items[step:][same_user])
        values.append(np.full(len(before[-1]), 1 / step, dtype=np.float32))
    entries = (np.concatenate(values), (np.concatenate(before), np.concatenate(after)))
    counts = sparse.csr_matrix(entries, shape=shape)
    popularity = np.bincount(data.items, minlength=data.n_items).astype(np.float32)
    scale = sparse.diags(1 / np.sqrt(popularity + parameters.smoothing))
    return strongest_of_sparse_rows(sparse.csr_matrix(scale @ counts @ scale), parameters.neighbours)

"""Nearest vectors: which rows score highest against a query, exactly or nearly so.

1. `handler.backend(alias)` makes the backend that RECOMMENDER_VECTOR_INDEXES names, one a process.
2. A rebuild calls `backend.build(vectors, metric)`; `registry.storage` saves the result inside the new version.
3. `handler.open_index(directory)` maps it again in every process that serves; `VectorIndex.search` answers.

`base.py` is the interface, `brute_force.py` the exact reference, `annoy.py` and `faiss.py` the approximate ones for
large catalogues with `approximate.py` as their common base, `longest.py` what Annoy leaves to a scan, `milvus.py` the
one on a server (`milvus_server.py`), `recall.py` measures how much an approximate index misses, `checks.py` explains a
wrong setting.
"""

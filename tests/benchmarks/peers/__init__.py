"""Other recommenders, each trained and ranked with in a process of its own, in an environment of its own.

1. `roster` lists them, with the settings that are tried for each.
2. `environments` makes what recsite's own environment cannot hold, from a lock file, when it is first needed.
3. `processes` runs one: `tune` tries the settings, `rank` writes the lists and tells time and memory.
4. A peer (`ease`, `implicit_als`, …) is a `fit` that `exchange` reads and writes for.

`tests.benchmarks.side_by_side` measures all of them and recsite with them. To add a peer, write its `fit`, name it in
`roster.PEERS` and, if it needs other packages, add a group to `pyproject.toml` here and run `make lock`.
"""

"""What `make bench` runs: how good, how fast, how large, measured on this machine.

    python -m tests.benchmarks                     everything
    python -m tests.benchmarks --only serving      one benchmark
    python -m tests.benchmarks --list              their names

1. `__main__` parses, holds the local servers up, and runs the chosen benchmarks of `suite` one after the other.
2. `suite` lists them and runs each in a process of its own, so that none inherits another's memory or caches.
3. `workbench` gives that process its own database, Redis prefix, model directory and folder, and removes them.
4. A benchmark (`quality`, `serving`, `ingest`, `vector_index`, `training_growth`, `side_by_side`, …) yields
   `figures.Row`s and may draw with `charts` and `log_charts`.
5. `report` writes `bench.json` and prints the table; charts are below `.local/bench/`.

To add a row, yield one more from the benchmark it belongs to; to add a benchmark, write a module with
`run(bench: Workbench) -> Iterator[Row]` and name it in `suite.BENCHMARKS`. A missed target is a finding, not an
error: it shows in the table and in `bench.json`, and the exit code stays 0.
"""

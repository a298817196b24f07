"""Where models are trained: in this process, or on a Spark cluster.

`base.py` is what an engine does: read the events, and train the models whose cost grows with them. `local.py` does it
with this machine's processors, `spark.py` as jobs of Spark with `spark_session.py` (its start and its end) and
`spark_reading.py` (events from Postgres, by many tasks at once). Everything else of a rebuild is the same: what is held
out, the ranking, the gate, the files, the publication.
"""

NAMES = ("local", "spark")
"""What `choosing.engine` knows."""

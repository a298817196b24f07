"""A database backend (`ENGINE`) for processes in which somebody waits: Django's for Postgres, with limits.

`statement_timeout` and `lock_timeout` are kept by the server; one that hangs keeps none. Here the client stops waiting:

1. `patience.py` says how long: the option `patience_seconds`, and less where `within` is in force.
2. `base.py` closes a connection on which no answer came in time.
3. `breaker.py` leaves a server alone that kept several waiting, until it answers a thread that asks in the background;
   who waits less than that keeps only others like him away.

Without `patience_seconds` (workers, commands, tests) it is Django's own.
"""

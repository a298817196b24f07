"""Model versions: written once, published by moving one pointer, swapped in place by every process that serves.

1. `jobs.claim` takes the lease of the one rebuild that may run; its fencing token goes with all that follows.
2. `storage.write` puts arrays and indexes into a new immutable directory with a `manifest.py` of SHA-256 sums.
3. `publishing.record_version` names it in the database, `publishing.publish` moves the pointer in one transaction.
4. `active.current` gives a request the version in memory and swaps it when the pointer has moved
   (`artifacts.read` checks every file first; a version that fails never replaces one that works).
5. `retention.apply` removes the files of versions nobody can need.

A crash between any two of these leaves the version that was serving. `locking.py` orders the short transactions.
"""

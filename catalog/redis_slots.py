"""Which keys of a user's lie together in a Redis Cluster.

A cluster cuts the keys into slots and runs a script only over those of one slot, while one server runs it over any. So
on a cluster users are spread over BUCKETS, by a hash of their id, and what scripts use together has its bucket in
braces in its name: a cluster places a key by what stands in braces alone. A bucket for each user would cost a batch of
writes one call each; one bucket for all would lie on one node. On one server, or behind sentinels, names have no
bucket: there is nothing to place, and what an older version has cached is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zlib import crc32

from django.conf import settings

from catalog.redis_address import is_cluster
from catalog.redis_store import key

BUCKETS = 512
"""Never to be changed: keys would be looked for where they are not. They spread evenly over a dozen nodes."""


def user_key(user_id: str, name: str, *rest: str) -> str:
    """Return the key `name` of the bucket of a user; `rest` follows the bucket. Those of one bucket lie in one slot."""
    if is_cluster(settings.REDIS_URL):
        return key(name, f"{{{_bucket(user_id)}}}", *rest)
    return key(name, *rest)


def described(name: str) -> str:
    """Return the keys `user_key(user_id, name, user_id)` as people write them down."""
    return key(name, *(("{bucket}",) if is_cluster(settings.REDIS_URL) else ()), "{user_id}")


def user_id_in(name: str, found: str) -> str:
    """Return the user of a key `user_key(user_id, name, user_id)`."""
    rest = found.removeprefix(key(name, ""))
    return rest.partition(":")[2] if is_cluster(settings.REDIS_URL) else rest


def by_bucket(user_ids: Iterable[str]) -> list[Sequence[str]]:
    """Return the users of each bucket, always the same for the same users; all of them together on one server."""
    if not is_cluster(settings.REDIS_URL):
        return [list(user_ids)]
    found: dict[int, list[str]] = {}
    for user_id in user_ids:
        found.setdefault(_bucket(user_id), []).append(user_id)
    return list(found.values())


def _bucket(user_id: str) -> int:
    return crc32(user_id.encode()) % BUCKETS

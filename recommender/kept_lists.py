"""Long lists that are shown page by page, kept in Redis for half an hour: a user's own under his key, so that they go
with him, nobody's each under its own.
"""

from __future__ import annotations

import uuid

import msgspec
from redis import Redis

from catalog.redis_store import Command, key, round_trip
from interactions.contracts import ServedList
from interactions.redis_breaker import RedisAway, ask
from recommender.contracts import RecommendationList

KEPT_SECONDS = 1_800
"""For as long as somebody pages on: each page begins it anew."""
MOST_OF_A_USER = 20
"""Lists kept of one user; with one more all older ones are forgotten."""


class KeptItem(msgspec.Struct, frozen=True, array_like=True):
    """What `contracts.Recommendation` has, without the card: that is shown as it is by then."""

    item_id: str
    score: float
    reason: str
    source: str
    propensity: float
    rule: int | None


class KeptList(msgspec.Struct, frozen=True, array_like=True):
    """A whole list as it was made."""

    placement: str
    recipe: str
    title: str
    model_version: str
    experiment_id: str
    variant: str
    fallback: bool
    fallback_reason: str
    seed_item_id: str
    page_size: int
    """Items of a page that states no other number."""
    items: list[KeptItem]
    served: ServedList
    """What is to be recorded of all of it; without items where nothing is."""

    @classmethod
    def of(cls, made: RecommendationList, served: ServedList, page_size: int) -> KeptList:
        """Return what is kept of a list."""
        return cls(
            placement=made.placement,
            recipe=made.recipe,
            title=made.title,
            model_version=made.model_version,
            experiment_id=made.experiment_id,
            variant=made.variant,
            fallback=made.fallback,
            fallback_reason=made.fallback_reason,
            seed_item_id=made.seed_item_id,
            page_size=page_size,
            items=[
                KeptItem(item.item_id, item.score, item.reason, item.source, item.propensity, item.rule)
                for item in made.items
            ],
            served=served,
        )


# Whole or not at all: without its end a list would stay for ever.
_KEEP = """
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return redis.call('HLEN', KEYS[1])
"""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(KeptList)


def keep(user_id: str, request_id: uuid.UUID, kept: KeptList) -> bool:
    """Keep a list; False where Redis is away and it has to do without further pages."""
    name, packed = _key(user_id, request_id), _encoder.encode(kept)

    def write(redis: Redis) -> int:
        return int(redis.eval(_KEEP, 1, name, request_id.hex, packed, KEPT_SECONDS))

    def write_alone(redis: Redis) -> int:
        redis.delete(name)
        return write(redis)

    try:
        if ask(write) > MOST_OF_A_USER:
            ask(write_alone)
    except RedisAway:
        return False
    return True


def read(user_id: str, request_id: uuid.UUID) -> KeptList | None:
    """Return a list that is kept, None when it is no longer.

    Raises
    ------
    RedisAway
        It cannot be said.
    """
    name = _key(user_id, request_id)
    asked: list[Command] = [("HGET", name, request_id.hex), ("EXPIRE", name, KEPT_SECONDS)]
    found, _ = ask(lambda redis: round_trip(redis, asked))
    return None if found is None else _decoder.decode(found)


def erase(user_id: str) -> int:
    """Delete every list of a person who asked to be forgotten; return how many, -1 where Redis is away.

    What could not be deleted goes within KEPT_SECONDS.
    """
    name = key("kept", user_id)
    try:
        count, _ = ask(lambda redis: round_trip(redis, [("HLEN", name), ("DEL", name)]))
    except RedisAway:
        return -1
    return int(count)


def _key(user_id: str, request_id: uuid.UUID) -> str:
    return key("kept", user_id) if user_id else key("kept_for_nobody", request_id.hex)

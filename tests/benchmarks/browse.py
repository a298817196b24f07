"""What visitors wait for when they browse and search, by the number of items: words, filters, sorting, typing errors.

Generated items whose words, tags, categories and countries are of Zipf's law, so that some are of nearly every item and
some of very few: both are hard for another reason.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
from django.db import connection

from catalog.faceted_search import NEWEST, TITLE, Wanted, find
from tests.benchmarks.figures import Row, at_most
from tests.benchmarks.workbench import Workbench

SIZES = (10_000, 100_000, 1_000_000)
WORDS, TAGS, CATEGORIES = 20_000, 2_000, 40
COUNTRIES = ("US", "FR", "GB", "IN", "JP", "DE", "IT", "KR", "ES", "SE", "BR", "NG", "MX", "CN", "IR")
LANGUAGES = ("en", "fr", "hi", "ja", "de", "it", "ko", "es", "sv", "pt", "fa", "zh")
SYLLABLES = [f"{onset}{vowel}" for onset, vowel in product("bcdfghjklmnprstvwz", "aeiou")]
SINCE = datetime(1950, 1, 1, tzinfo=UTC)
ROUNDS = 5
LIMIT = 48
MOST_MS = 1_000
"""A person waits; beyond a second he wonders."""
_BLOCK = 50_000
_COLUMNS = (
    "item_id, title, description, category, tags, creators, language, countries, image_url, url, published_at, "
    "is_active, attributes, popularity, created_at, updated_at"
)


def word(number: int) -> str:
    """Return the word of a rank, of two to four syllables; different ranks have different words."""
    syllables = []
    for _ in range(4):
        number, of = divmod(number, len(SYLLABLES))
        syllables.append(SYLLABLES[of])
        if not number and len(syllables) > 1:
            break
    return "".join(syllables)


ASKED = {
    "everything": Wanted(),
    "newest": Wanted(sort=NEWEST),
    "a common category": Wanted(category="category 0"),
    "a rare category, by title": Wanted(category="category 39", sort=TITLE),
    "a common tag in a rare country": Wanted(tag="tag 0", country="IR"),
    "a rare tag": Wanted(tag="tag 1900"),
    "four filters": Wanted(category="category 3", decade=1990, language="fr", country="US"),
    "a common word": Wanted(text=word(0)),
    "a rare word": Wanted(text=word(15_000)),
    "two words": Wanted(text=f"{word(1)} {word(40)}"),
    "a common word, a rare category": Wanted(text=word(0), category="category 30"),
    "a typing error": Wanted(text=f"{word(15_000)[:3]}x{word(15_000)[3:]}"),
    "nothing that is there": Wanted(text="xqxqxq"),
}


def run(bench: Workbench) -> Iterator[Row]:
    """Measure."""
    for size in SIZES:
        bench.step(f"{size:,} items")
        fill(size)
        bench.step(f"{size:,} items: searches")
        spent = {name: _milliseconds(wanted) for name, wanted in ASKED.items()}
        slowest = max(spent, key=lambda name: spent[name])
        for name, value in spent.items():
            yield Row(name=f"browse: {name}, {size:,} items", value=value, unit="ms")
        yield Row(
            name=f"browse: the slowest, {size:,} items",
            value=spent[slowest],
            unit="ms",
            target=at_most(MOST_MS),
            note=slowest,
        )


def _milliseconds(wanted: Wanted) -> float:
    """Return the median; the first look, which reads from disk, does not count."""
    find(wanted, limit=LIMIT)
    spent = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        find(wanted, limit=LIMIT)
        spent.append((time.perf_counter() - started) * 1000)
    return float(np.median(spent))


def fill(items: int) -> None:
    """Empty the catalogue and write `items` items, the same ones every time."""
    chance = np.random.default_rng(items)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE catalog_item RESTART IDENTITY CASCADE")
        for start in range(0, items, _BLOCK):
            count = min(_BLOCK, items - start)
            words, tags = _zipf(chance, WORDS, (count, 16)), _zipf(chance, TAGS, (count, 3))
            categories = _zipf(chance, CATEGORIES, (count,))
            countries = _zipf(chance, len(COUNTRIES), (count,))
            languages = _zipf(chance, len(LANGUAGES), (count,))
            days, popularity = chance.integers(0, 27_000, count), chance.pareto(1.0, count)
            with cursor.copy(f"COPY catalog_item ({_COLUMNS}) FROM STDIN") as copy:
                for row in range(count):
                    published = SINCE + timedelta(days=int(days[row]))
                    copy.write_row(
                        (
                            f"i{start + row}",
                            " ".join(word(int(rank)) for rank in words[row, :4]).capitalize(),
                            " ".join(word(int(rank)) for rank in words[row, 4:]),
                            f"category {categories[row]}",
                            [f"tag {tag}" for tag in dict.fromkeys(tags[row].tolist())],
                            [],
                            LANGUAGES[languages[row]],
                            [COUNTRIES[countries[row]]],
                            "",
                            "",
                            published,
                            True,
                            "{}",
                            float(popularity[row]),
                            published,
                            published,
                        )
                    )
        cursor.execute("VACUUM ANALYZE catalog_item, catalog_itemtext")


def _zipf(
    chance: np.random.Generator, values: int, shape: tuple[int, ...]
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return ranks of 0..values-1, each as frequent as one over its rank."""
    shares = 1 / np.arange(1, values + 1)
    drawn = np.searchsorted(np.cumsum(shares) / shares.sum(), chance.random(shape))
    return np.minimum(drawn, values - 1)

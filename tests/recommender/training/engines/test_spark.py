"""One session of Spark for all of it: a start takes ten seconds, and more on a busy machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection
from pytest_django import Settings

from catalog.models import Item
from interactions import event_files, event_types
from interactions.models import UserProfile
from recommender import conf
from recommender.exceptions import ConfigurationError, EngineFailed
from recommender.training import stored_events, trial
from recommender.training.als import AlsParameters
from recommender.training.dataset import Interactions, interactions
from recommender.training.engines import choosing, spark_session
from recommender.training.engines.base import Engine
from recommender.training.engines.checks import check_engine
from recommender.training.engines.local import LocalEngine
from recommender.training.evaluation import Evaluation, evaluate
from recommender.training.item_to_item import ItemToItemParameters
from recommender.training.random_walk import RandomWalkParameters
from recommender.training.session import SessionParameters
from recommender.training.train import train
from tests.benchmarks import films, splits
from tests.recommender.test_rebuilding import create_items, take, two_tastes
from tests.recommender.vector_index.real_factors import demo_taken, movielens_taken
from tests.recommender.worlds import catalogue_of, interactions_of

LOCAL = LocalEngine()
RATINGS = 10
"""Of a film that is ranked."""
SEEDS = 8
# Users 0 and 1 took items 0 and 1, 2 and 3 took 2 and 3; item 4 nobody.
HAND = interactions_of((0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (2, 3), (3, 2), (3, 3), n_items=5)


def random_data(users: int = 60, items: int = 40, events: int = 900) -> Interactions:
    rng = np.random.default_rng(3)
    return interactions(
        users=np.sort(rng.integers(0, users, events)),
        items=(items * rng.random(events) ** 2).astype(np.int64),
        weights=rng.choice([0.2, 1.0, 3.0], events).astype(np.float32),
        occurred_at=np.arange(events, dtype=np.float64),
        n_users=users,
        n_items=items,
    )


DATA = random_data()


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    pytest.importorskip("pyspark", reason="Spark is not installed: `make test-engines` installs it")
    try:
        spark_session.require()
    except ConfigurationError as error:
        pytest.skip(str(error))
    before = conf._values.get("SPARK")
    conf._values["SPARK"] = {"master": "local[2]", "options": {"spark.driver.memory": "1g"}}
    with choosing.engine("spark") as started:
        conf._values.pop("SPARK")
        if before is not None:
            conf._values["SPARK"] = before
        yield started


def test_an_engine_that_does_not_exist_is_named(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="There is no training engine 'dask'; engines are: local, spark"):
        choosing.engine("dask")
    settings.RECOMMENDER_TRAINING_ENGINE = "dask"
    (message,) = check_engine(None)
    assert message.id == "recommender.E008"


def test_the_default_trains_here() -> None:
    assert choosing.engine().name == "local"
    assert check_engine(None) == []


def test_without_pyspark_a_check_says_what_to_install(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_session, "find_spec", lambda name: None)
    settings.RECOMMENDER_TRAINING_ENGINE = "spark"
    (message,) = check_engine(None)
    assert message.id == "recommender.E008"
    assert "needs pyspark, pyarrow, pandas: pip install 'recsite[spark]'" in message.msg


@pytest.mark.parametrize(
    ("said", "words"), [(None, "there is no java"), ('openjdk version "1.8.0_292"', "found is Java 8")]
)
def test_without_a_java_of_its_own_it_says_which_is_needed(
    said: str | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark_session, "find_spec", lambda name: True)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    if said:
        java = tmp_path / "java"
        java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
        java.chmod(0o755)
    with pytest.raises(ConfigurationError, match=rf"Spark needs Java 17 or newer, {words}"):
        choosing.engine("spark").__enter__()


def test_a_master_that_does_not_answer_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_session, "require", lambda: None)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        settings.RECOMMENDER_SPARK = {"master": f"spark://127.0.0.1:{port}", "options": {}}
        with pytest.raises(EngineFailed, match=rf"No Spark master answers \(127.0.0.1:{port}: .*refused"):
            choosing.engine("spark").__enter__()


@pytest.mark.engines
class TestWithSpark:
    def test_popularity_counts_users(self, engine: Engine) -> None:
        assert engine.popularity(HAND).tolist() == [2, 2, 2, 2, 0]

    @pytest.mark.parametrize("data", [HAND, DATA], ids=["hand", "random"])
    def test_transitions_are_those_of_the_local_trainer(self, engine: Engine, data: Interactions) -> None:
        for parameters in (SessionParameters(), SessionParameters(window=2, neighbours=3)):
            same(engine.session(data, parameters), LOCAL.session(data, parameters))

    @pytest.mark.parametrize("exponent", [0.0, 0.5])
    def test_items_taken_together_are_those_of_the_local_trainer(self, engine: Engine, exponent: float) -> None:
        parameters = ItemToItemParameters(regularization=2.0, user_exponent=exponent)
        same(engine.item_to_item(DATA, parameters), LOCAL.item_to_item(DATA, parameters))

    def test_walks_are_those_of_the_local_trainer(self, engine: Engine) -> None:
        for parameters in (RandomWalkParameters(), RandomWalkParameters(alpha=0.7, beta=0.3, neighbours=5)):
            same(engine.random_walk(DATA, parameters), LOCAL.random_walk(DATA, parameters))

    def test_factors_tell_two_tastes_apart(self, engine: Engine) -> None:
        factors = engine.collaborative(HAND, AlsParameters(factors=2, iterations=10, alpha=10.0), seed=1)
        assert (factors.shape, factors.dtype) == ((5, 2), np.float32)
        assert not factors[4].any()
        units = factors[:4] / np.linalg.norm(factors[:4], axis=1, keepdims=True)
        alike = units @ units.T
        assert alike[0, 1] > 0.99
        assert alike[2, 3] > 0.99
        assert abs(alike[0, 2]) < 0.1

    def test_many_iterations_fit_on_javas_stack(self, engine: Engine) -> None:
        factors = engine.collaborative(HAND, AlsParameters(factors=2, iterations=40), seed=1)
        assert np.isfinite(factors).all()
        assert factors[:4].any(axis=1).all()

    def test_events_are_read_as_the_local_engine_reads_them(
        self, engine: Engine, committing_database: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stored_events, "PAGES", 4)
        pks = np.array([5, 7, 8], dtype=np.int64)
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM interactions_eventtype WHERE weight > 0 ORDER BY id")
            kinds = [row[0] for row in cursor.fetchall()]
            start = datetime(2026, 1, 1, tzinfo=UTC)
            for place in range(2):
                cursor.execute(
                    "INSERT INTO interactions_event (event_id, occurred_at, user_id, item_id, event_type_id, value) "
                    "SELECT gen_random_uuid(), %s + n * interval '7 second', 100 + n %% 37, 4 + n %% 5, "
                    "(%s::int[])[1 + n %% %s], CASE WHEN n %% 3 = 0 THEN n %% 6 END FROM generate_series(1, 1500) AS n",
                    [start + timedelta(days=3650 * place), kinds, len(kinds)],
                )
        types = event_types.load(0)
        here, there = LOCAL.load(pks, types), engine.load(pks, types)
        assert len(here) > 100
        for name in ("users", "items", "weights", "occurred_at"):
            assert getattr(there, name).tolist() == getattr(here, name).tolist(), name
            assert getattr(there, name).dtype == getattr(here, name).dtype
        assert (there.n_users, there.n_items) == (here.n_users, here.n_items)

    def test_events_are_read_from_files_as_from_postgres(
        self, engine: Engine, committing_database: None, settings: Settings, tmp_path: Path
    ) -> None:
        create_items()
        take(two_tastes())
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO interactions_event (event_id, occurred_at, user_id, item_id, event_type_id, value) "
                "SELECT gen_random_uuid(), now() - id * interval '3.7 second', (SELECT min(id) FROM "
                "interactions_userprofile) + id % 7, (SELECT min(id) FROM catalog_item) + id % 11, "
                "1 + id % (SELECT max(id) FROM interactions_eventtype), CASE WHEN id % 3 = 0 THEN id % 6 END "
                "FROM generate_series(1, 2000) AS id"
            )
        pks = np.array(sorted(Item.objects.values_list("pk", flat=True)), dtype=np.int64)
        types = event_types.load(0)
        event_files.export(str(tmp_path))
        expected = engine.load(pks, types)
        assert len(expected) > 50
        settings.RECOMMENDER_SPARK = {"master": "local[2]", "event_files": str(tmp_path), "options": {}}
        found = engine.load(pks, types)
        for name in ("users", "items", "weights", "occurred_at"):
            assert getattr(found, name).tolist() == getattr(expected, name).tolist(), name
        # Whoever has gone since the files were written is left out.
        UserProfile.objects.filter(user_id="user 0").update(consent=UserProfile.Consent.WITHHELD)
        fewer = engine.load(pks[1:], types)
        assert fewer.n_users == expected.n_users - 1
        assert fewer.n_items == expected.n_items - 1
        assert 0 < len(fewer) < len(expected)

    @pytest.mark.parametrize("made", [None, {"user_id": ["a"], "item_id": ["b"]}], ids=["no folder", "columns"])
    def test_files_that_cannot_be_read_are_told(
        self, engine: Engine, committing_database: None, settings: Settings, tmp_path: Path, made: Any
    ) -> None:
        folder = tmp_path / "events"
        settings.RECOMMENDER_SPARK = {"master": "local[2]", "event_files": str(folder), "options": {}}
        told = "Spark failed at reading events: .*events"
        if made:
            folder.mkdir()
            pyarrow = pytest.importorskip("pyarrow")
            pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table(made), folder / "a.parquet")
            told = "events lacks event_type, occurred_at, value; the files' columns are user_id, item_id, event_type"
        with pytest.raises(EngineFailed, match=told):
            engine.load(np.array([5], dtype=np.int64), event_types.load(0))

    def test_without_events_there_are_no_interactions(self, engine: Engine, committing_database: None) -> None:
        data = engine.load(np.array([5], dtype=np.int64), event_types.load(0))
        assert (len(data), data.n_users, data.n_items) == (0, 0, 1)

    def test_what_fails_in_a_task_is_told_in_a_line(self, engine: Engine) -> None:
        def broken(batches: Iterator[object]) -> Iterator[object]:
            raise ValueError("page 7 is torn")
            yield

        with pytest.raises(EngineFailed, match=r"Spark failed at reading: ValueError: page 7 is torn"), \
                spark_session.told("reading"):  # fmt: skip
            engine._table(HAND).mapInArrow(broken, "user int").count()  # type: ignore[attr-defined]

    def test_lists_are_as_good_as_those_of_the_local_trainers(self, engine: Engine, settings: Settings) -> None:
        """NDCG@10 of the final lists, on films held out by time, within one part in a hundred.

        Means over seeds: by the seed alone either engine's varies by one part in a hundred.
        """
        # Two models of the same joins weigh nothing where no ranking is learned, and take half of the time.
        recipes = {name: dict(recipe) for name, recipe in conf.DEFAULT_RECIPES.items()}
        unweighed = {"item_to_item_balanced", "random_walk"}
        sources = recipes["personalized"]["sources"].items()
        recipes["personalized"]["sources"] = {name: slot for name, slot in sources if name not in unweighed}
        settings.RECOMMENDER_RECIPES = recipes
        local, spark = [], []
        for seed in range(SEEDS):
            settings.RECOMMENDER_SEED = seed
            local.append(quality(LOCAL).final.ndcg)
            spark.append(quality(engine).final.ndcg)
        assert np.mean(local) > 0.05
        assert np.mean(spark) == pytest.approx(np.mean(local), rel=0.01)


def same(found: object, expected: object) -> None:
    """Compare two sparse matrices: entries of the same places, values alike to five digits."""
    assert found.shape == expected.shape  # type: ignore[attr-defined]
    here, there = expected.toarray(), found.toarray()  # type: ignore[attr-defined]
    assert there == pytest.approx(here, rel=1e-4, abs=1e-6)


def quality(engine: Engine) -> Evaluation:
    """Return how lists do that were trained by the engine, on MovieLens where it lies, else on the demo's audience."""
    folder = films.folder()
    if folder is None:
        data = demo_taken()
        starts = data.user_starts()
        place = np.arange(len(data)) - np.repeat(starts[:-1], np.diff(starts))
        later = place >= np.repeat(np.diff(starts) * 4 // 5, np.diff(starts))
        past, held_out = data.take(~later), data.take(later)
    else:
        ratings = films.ratings(folder)
        # The rare ones say little and make most of the pairs: with all of them the joins take four times as long.
        split = splits.by_time(ratings.at(np.bincount(ratings.items)[ratings.items] >= RATINGS))
        past, held_out = movielens_taken(split.train), movielens_taken(split.test)
    catalogue = catalogue_of(*({} for _ in range(past.n_items)))
    users = np.unique(held_out.users)
    starts = held_out.user_starts()
    truth = [held_out.items[starts[user] : starts[user + 1]] for user in users]
    trained = train(past, catalogue.pks, catalogue.cards, engine=engine)
    with trial.opened(trained) as bundle:
        return evaluate(bundle, catalogue, past, truth, users.tolist())

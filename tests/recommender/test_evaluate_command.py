"""`manage.py evaluate` on small files. No test here may touch the database: pytest-django refuses that."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from math import log2
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

GROUPS = [[f"crime {number}" for number in range(6)], [f"comedy {number}" for number in range(6)]]
USERS = 12


def taken(user: int) -> list[str]:
    """Return what a user takes in order: five films of his group, each starting somewhere else in it."""
    group = GROUPS[user % 2]
    return [group[(user // 2 + step) % 6] for step in range(5)]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Four films of each user to train on and the fifth to test; a newcomer and a new film are in the test only."""
    train, test = ["user_id,item_id,timestamp"], ["user_id,item_id,timestamp"]
    for user in range(USERS):
        *before, last = taken(user)
        train += [f"user {user},{item},{1_700_000_000 + step}" for step, item in enumerate(before)]
        test.append(f"user {user},{last},1700000010")
    test += ["newcomer,crime 0,1700000010", "user 0,a new film,1700000011"]
    items = ["item_id,title,category,tags,published_at", "crime 0,Crime Nought,Crime,heist|police,1995-12-15"]
    items.append("never taken,Never,Comedy,spoof,")
    for name, lines in (("train", train), ("test", test), ("items", items)):
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def evaluate(files: Path, **options: Any) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """Run the command; return the lists by user and the report."""
    out, report = files / "out.csv", files / "report.json"
    call_command(
        "evaluate", train=files / "train.csv", test=files / "test.csv", recommendations=out, json=report, **options
    )
    lists: dict[str, list[str]] = defaultdict(list)
    with out.open(newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            if number == 0:
                assert list(row) == ["user_id", "item_id", "rank"]
            lists[row["user_id"]].append(row["item_id"])
            assert int(row["rank"]) == len(lists[row["user_id"]])
    return dict(lists), json.loads(report.read_text())


def test_lists_are_ranked_as_serving_would_and_measured(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lists, report = evaluate(files, items=files / "items.csv", k=2)

    assert list(lists) == [*(f"user {user}" for user in range(USERS)), "newcomer"]
    every_item = {*GROUPS[0], *GROUPS[1], "never taken"}
    for user in range(USERS):
        seen = set(taken(user)[:4])
        ranked = lists[f"user {user}"]
        assert len(ranked) == len(set(ranked))
        # Every item not seen is ranked; the group's two others come first.
        assert set(ranked) == every_item - seen
        assert set(ranked[:2]) == set(GROUPS[user % 2]) - seen
    assert set(lists["newcomer"]) == every_item

    relevant: dict[str, set[str]] = defaultdict(set)
    with (files / "test.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            relevant[row["user_id"]].add(row["item_id"])
    ndcg = recall = hit_rate = 0.0
    for user, wanted in relevant.items():
        hits = [item in wanted for item in lists[user][:2]]
        ideal = sum(1 / log2(position + 2) for position in range(min(2, len(wanted))))
        ndcg += sum(hit / log2(position + 2) for position, hit in enumerate(hits)) / ideal
        recall += sum(hits) / len(wanted)
        hit_rate += any(hits)
    final = report["final"]
    assert report["k"] == 2
    assert final["users"] == len(relevant) == 13
    assert final["ndcg"] == pytest.approx(ndcg / 13, abs=1e-6)
    assert final["recall"] == pytest.approx(recall / 13, abs=1e-6)
    assert final["hit_rate"] == pytest.approx(hit_rate / 13, abs=1e-6)
    shown = {item for ranked in lists.values() for item in ranked[:2]}
    # Of the items in the train file.
    assert final["coverage"] == pytest.approx(len(shown) / 12, abs=1e-6)
    assert set(report["sources"]) == {
        "item_to_item", "item_to_item_balanced", "next_items", "session", "random_walk", "collaborative", "content",
        "popular",
    }  # fmt: skip
    assert {key for metrics in report["sources"].values() for key in metrics} == set(final)

    printed = capsys.readouterr().out
    assert "13 users, every unseen item ranked, at 2" in printed
    assert f"{final['ndcg']:.4f}" in printed
    for heading in ("95 % interval", "serendipity", "cold items", "the final list by users' history"):
        assert heading in printed


def test_the_report_has_intervals_and_segments(files: Path) -> None:
    """Twelve users have four items each, and one is new."""
    _, report = evaluate(files, k=2)
    assert set(report["reports"]) == {"final", *report["sources"]}
    final = report["reports"]["final"]
    assert final["accuracy"]["ndcg"]["mean"] == pytest.approx(report["final"]["ndcg"])
    assert final["accuracy"]["ndcg"]["low"] <= final["accuracy"]["ndcg"]["mean"] <= final["accuracy"]["ndcg"]["high"]
    assert final["beyond_accuracy"]["coverage"]["mean"] == pytest.approx(report["final"]["coverage"])
    assert {
        name: (one["users"], one["shortest_history"], one["longest_history"]) for name, one in final["segments"].items()
    } == {"new": (1, 0, 0), "light": (12, 4, 4)}
    # Two unseen films of the group are left, and lists have two places.
    assert final["segments"]["light"]["accuracy"]["hit_rate"] == {"mean": 1.0, "low": 1.0, "high": 1.0}


def test_items_are_optional_and_lists_the_same_each_time(files: Path) -> None:
    first, report = evaluate(files)
    assert report["k"] == 10
    assert set(first["newcomer"]) == {*GROUPS[0], *GROUPS[1]}
    assert evaluate(files) == (first, report)


def test_lists_end_at_twenty(files: Path) -> None:
    many = "\n".join(f"collector,film {number},1700000000" for number in range(30))
    (files / "train.csv").write_text((files / "train.csv").read_text() + many + "\n")
    lists, _ = evaluate(files)
    assert {len(ranked) for ranked in lists.values()} == {20}


def test_one_user_and_one_item_are_enough(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("user_id,item_id\nann,heat\n")
    (tmp_path / "test.csv").write_text("user_id,item_id\nann,up\nbob,heat\n")
    lists, report = evaluate(tmp_path)
    assert lists == {"bob": ["heat"]}
    assert (report["final"]["users"], report["final"]["hit_rate"]) == (2, 0.5)


MANY = 14


def people(count: int, *lines: str) -> list[str]:
    """Return interactions of `count` users who each take ten of twenty films in a row, and `lines`."""
    return [*(f"user {user},film {(user + step) % 20},{step}" for user in range(count) for step in range(10)), *lines]


ODD: dict[str, tuple[list[str], list[str]]] = {
    "one user": ([f"ann,film {step},{step}" for step in range(10)], ["ann,jaws,99"]),
    "two users": (people(2), ["user 0,film 10,99"]),
    "one item": (["ann,heat,1", "bob,heat,2", "eve,heat,3"], ["eve,heat,4"]),
    "nobody shares an item": (
        [f"user {n},film {n} {step},{step}" for n in range(MANY) for step in range(6)],
        ["user 0,film 1 0,9"],
    ),
    "all users alike": (
        [f"user {n},film {step},{step}" for n in range(MANY) for step in range(10)],
        ["user 0,film 3,99"],
    ),
    "nobody of the test is known": (people(MANY), ["a stranger,film 3,99", "another,film 4,99"]),
    "nothing of the test is known": (people(MANY), ["user 0,a new film,99"]),
    "one item that everybody takes": (
        people(MANY, *(f"user {n},the hit,{n}" for n in range(MANY))),
        ["user 1,film 15,99"],
    ),
    "spaces and other scripts": (
        [f"  Zoë {n} ,フィルム {(n + step) % 20}  ,{step}" for n in range(MANY) for step in range(10)],
        ["Zoë 0,フィルム 15,99", '"Müller, ""Hans""",фильм,99'],
    ),
    "no times": ([f"user {n},film {(n + step) % 20}," for n in range(MANY) for step in range(10)], ["user 0,film 15,"]),
    "some times missing": (
        people(MANY, *(f"user {n},film {(n + 10) % 20}," for n in range(0, MANY, 5))),
        ["user 0,film 15,"],
    ),
    "all at one moment": (
        [f"user {n},film {(n + step) % 20},5" for n in range(MANY) for step in range(10)],
        ["user 0,film 15,5"],
    ),
    "times before 1970": (people(MANY, "user 0,film 19,-1e9"), ["user 0,film 15,99"]),
    "everything twice": (people(MANY) + people(MANY), ["user 0,film 15,99", "user 0,film 15,99"]),
}


@pytest.mark.parametrize("odd", list(ODD))
def test_however_odd_the_data_there_are_lists(tmp_path: Path, settings: Settings, odd: str) -> None:
    settings.RECOMMENDER_TUNING = {"users": 100, "ranked_users": 100, "minimum_users": 1}
    train, test = ODD[odd]
    for name, lines in (("train", train), ("test", test)):
        (tmp_path / f"{name}.csv").write_text("\n".join(["user_id,item_id,timestamp", *lines]) + "\n", encoding="utf-8")
    lists, report = evaluate(tmp_path)
    known = {(row[0].strip(), row[1].strip()) for row in csv.reader(train)}
    asked = list(dict.fromkeys(row[0] for row in csv.reader(test)))
    assert report["final"]["users"] == len(asked)
    for user in asked:
        unseen = {item for _, item in known} - {item for by, item in known if by == user}
        assert len(lists.get(user, [])) == min(20, len(unseen))
        assert set(lists.get(user, [])) <= unseen


@pytest.mark.parametrize("value", ["0", "-3", "nan"])
def test_values_are_not_looked_at(files: Path, value: str) -> None:
    """How many stars does not matter; that somebody took it does."""
    expected = evaluate(files)
    for name in ("train", "test"):
        header, *lines = (files / f"{name}.csv").read_text().splitlines()
        (files / f"{name}.csv").write_text(
            "\n".join([f"{header},value", *(f"{line},{value}" for line in lines)]) + "\n"
        )
    assert evaluate(files) == expected


def test_without_times_the_lists_are_those_of_taste(files: Path) -> None:
    """The two films that are left of a user's group come first, in whatever order the file has them."""
    for name in ("train", "test"):
        lines = [line.rpartition(",")[0] + "," for line in (files / f"{name}.csv").read_text().splitlines()[1:]]
        (files / f"{name}.csv").write_text("\n".join(["user_id,item_id,timestamp", *reversed(lines)]) + "\n")
    lists, report = evaluate(files)
    for user in range(USERS):
        assert set(lists[f"user {user}"][:2]) == set(GROUPS[user % 2]) - set(taken(user)[:4])
    assert not {"next_items", "session"} & set(report["sources"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train", "user_id,timestamp\nann,1\n", "train.csv: the header lacks item_id; it has user_id, timestamp."),
        (
            "test",
            "user_id,item_id,timestamp\nann,heat,1\nann,up,soon\n",
            "test.csv, line 3: 'soon' is no epoch second and no ISO 8601 time.",
        ),
        ("train", "", "train.csv: is empty; a header with user_id, item_id is needed."),
        ("train", "user_id,item_id\n", "train.csv: there are no interactions in it."),
        ("test", "user_id,item_id\n", "test.csv: there are no interactions in it."),
        ("items", "title\nHeat\n", "items.csv: the header lacks item_id; it has title."),
    ],
)
def test_what_is_wrong_with_a_file_is_said(files: Path, name: str, content: str, message: str) -> None:
    (files / f"{name}.csv").write_text(content)
    with pytest.raises(CommandError) as refused:
        evaluate(files, items=files / "items.csv")
    assert str(refused.value) == message
    assert not (files / "out.csv").exists()
    assert not (files / "report.json").exists()


def test_a_missing_file_is_named(files: Path) -> None:
    with pytest.raises(CommandError, match=r"^absent\.csv: No such file or directory\.$"):
        evaluate(files, items=files / "absent.csv")


@pytest.mark.parametrize("k", [0, 21])
def test_lists_have_no_such_length(files: Path, k: int) -> None:
    with pytest.raises(CommandError, match=rf"^--k must be 1\.\.20, not {k}\.$"):
        evaluate(files, k=k)


def test_a_place_that_cannot_be_written_is_refused_before_the_work_begins(files: Path) -> None:
    (files / "train.csv").write_text("never read")
    for option in ("recommendations", "json"):
        options: dict[str, Any] = {option: files / "absent" / "out"}
        with pytest.raises(CommandError, match=rf"^--{option}: there is no directory .*absent\.$"):
            call_command("evaluate", train=files / "train.csv", test=files / "test.csv", **options)


@pytest.mark.parametrize(
    ("options", "pairs"),
    [
        # Four items each: two of them are half.
        ({"share": 0.5}, 2),
        ({"split": "time", "share": 0.3}, 1),
        ({"split": "random", "share": 0.5}, 2),
        ({"split": "leave-one-out"}, 1),
    ],
)
def test_without_a_test_file_a_part_is_held_out(files: Path, options: dict[str, Any], pairs: int) -> None:
    (files / "test.csv").unlink()
    out = files / "report.json"
    call_command("evaluate", train=files / "train.csv", json=out, k=6, **options)
    final = json.loads(out.read_text())["reports"]["final"]
    assert final["users"] == USERS
    assert {(one["shortest_history"], one["longest_history"]) for one in final["segments"].values()} == {
        (4 - pairs, 4 - pairs)
    }


def test_the_newest_are_held_out_in_the_order_of_their_times(files: Path) -> None:
    """Ann's newest stands first in the file; nobody else has one, so it cannot be found."""
    lines = ["user_id,item_id,timestamp", "ann,heat,9", "ann,up,1", "bob,up,2"]
    (files / "train.csv").write_text("\n".join(lines) + "\n")
    call_command("evaluate", train=files / "train.csv", split="leave-one-out", json=files / "report.json")
    report = json.loads((files / "report.json").read_text())
    assert (report["final"]["users"], report["final"]["hit_rate"], report["final"]["coverage"]) == (1, 0.0, 0.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test": True, "split": "time"}, "--split and --share hold out a part of --train: they need no --test."),
        ({"test": True, "share": 0.2}, "--split and --share hold out a part of --train: they need no --test."),
        ({"share": 1.0}, "--share must lie between 0 and 1, not 1."),
        (
            {"split": "leave-one-out", "share": 0.2},
            "--share does not go with --split leave-one-out, which holds out one item a user.",
        ),
        ({"share": 0.2}, "train.csv: nobody in it has enough interactions to hold any out."),
    ],
)
def test_a_split_that_makes_no_sense_is_refused(files: Path, options: dict[str, Any], message: str) -> None:
    if options.get("test"):
        options = {**options, "test": files / "test.csv"}
    with pytest.raises(CommandError) as refused:
        call_command("evaluate", train=files / "train.csv", json=files / "report.json", **options)
    assert str(refused.value) == message
    assert not (files / "report.json").exists()

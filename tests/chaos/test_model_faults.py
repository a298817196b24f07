"""A model is cut off, flipped, wrong, missing, bad, or never written: what served before goes on serving."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recsite.local_services.server import wait_until
from tests.chaos.report import Line
from tests.chaos.serving_probe import ServingProbe
from tests.chaos.site import Site
from tests.recommender.registry.test_artifacts import flip_bit, forge, saved, truncate

Damage = Callable[[Path], None]

PUBLISH = """
import os, sys
point = sys.argv[1]
import django; django.setup()
import numpy as np
from catalog import revisions
from catalog.models import Item
from recommender.models import ActiveModel
from recommender.registry import jobs, publishing, storage

def die_after(function):
    def call(*arguments, **keywords):
        function(*arguments, **keywords)
        os.kill(os.getpid(), 9)
    return call

def die(*arguments, **keywords):
    os.kill(os.getpid(), 9)

if point == "array written":
    storage._write_array = die_after(storage._write_array)
if point == "synced, not renamed":
    os.rename = die
if point == "renamed":
    os.rename = die_after(os.rename)
if point == "row inserted":
    publishing.record_version = die_after(publishing.record_version)
if point == "read back":
    storage.load = die_after(storage.load)
if point == "pointer moved, not committed":
    ActiveModel.save = die_after(ActiveModel.save)
if point == "committed, not announced":
    revisions.announce_all = die
pks = np.array(list(Item.objects.order_by("id").values_list("id", flat=True)), dtype=np.int64)
arrays = {"item_pks": pks, "popularity": np.arange(len(pks), dtype=np.float32)}
with jobs.claim("test", seconds=1) as lease:
    name = publishing.next_name()
    stored = storage.write(name, arrays, {}, {})
    version = publishing.record_version(name, stored=stored, fencing_token=lease.fencing_token, metrics={})
    publishing.publish(version, fencing_token=lease.fencing_token)
    lease.finish(version)
"""
POINTS = {
    "array written": False,
    "synced, not renamed": False,
    "renamed": False,
    "row inserted": False,
    "read back": False,
    "pointer moved, not committed": False,
    "committed, not announced": True,
}
"""Where the publisher dies → whether the new version serves then."""


@pytest.mark.fault(3)
@pytest.mark.long
def test_publisher_killed_between_file_and_pointer(site: Site, line: Line) -> None:
    serving = site.version_served()
    assert serving == "v1"
    pointer = "SELECT v.name FROM recommender_activemodel a JOIN recommender_modelversion v ON v.id = a.version_id"
    with ServingProbe(site) as probe:
        for point, published in POINTS.items():
            said = site.python("-c", PUBLISH, point, check=False)
            assert "Traceback" not in said, said
            [[newest]] = site.sql(pointer)
            assert (newest != serving) == published, point
            site.announce()
            assert wait_until(lambda newest=newest: site.version_served() == newest, 10), point  # type: ignore[misc]
            serving = newest
            # The dead one's lease runs out.
            time.sleep(1)
        site.python("-c", PUBLISH, "nowhere")
        [[newest]] = site.sql(pointer)
        assert newest != serving
        assert wait_until(lambda: site.version_served() == newest, 10)
        probe.wait_for(10)
    assert not list(site.models.glob(".writing-*"))
    line.took(probe)


DAMAGES: dict[int, dict[str, Damage]] = {
    19: {"to half": truncate(0.5), "by a little": truncate(0.999), "to nothing": truncate(0)},
    20: {"in the data": flip_bit(-3), "in the header": flip_bit(6)},
}


@pytest.mark.long
@pytest.mark.parametrize("row", [pytest.param(row, marks=pytest.mark.fault(row)) for row in DAMAGES])
def test_damaged_artefact(site: Site, line: Line, row: int) -> None:
    """The newer version's files are damaged after it was checked and before it is opened."""
    directory, aside = site.directory_of("v2"), site.folder / "aside"
    shutil.copytree(directory, aside)
    with ServingProbe(site) as probe:
        for damage in DAMAGES[row].values():
            damage(directory / "item_pks.npy")
            assert_refused(site)
            shutil.rmtree(directory)
            shutil.copytree(aside, directory)
        probe.wait_for(10)
    line.took(probe)


def assert_refused(site: Site) -> None:
    """Point at v2, see it refused and v1 serve on, and point back."""
    refused = site.said("web").count("v2 cannot be loaded")
    site.point_at("v2")
    assert wait_until(
        lambda: site.version_served() == "v1" and site.said("web").count("v2 cannot be loaded") > refused, 20
    )
    assert site.version_served() == "v1"
    site.point_at("v1")


@pytest.mark.fault(21)
@pytest.mark.long
def test_artefact_with_wrong_content(site: Site, line: Line) -> None:
    """Sums agree everywhere, as only a mistake of training can make it: each check of the content finds its own."""
    directory, aside = site.directory_of("v2"), site.folder / "aside"
    shutil.copytree(directory, aside)
    popularity = np.load(directory / "popularity.npy")
    pks = np.load(directory / "item_pks.npy")
    forged: list[tuple[str, np.ndarray]] = [
        ("popularity.npy", np.full_like(popularity, np.nan)),
        ("popularity.npy", np.full_like(popularity, np.inf)),
        ("popularity.npy", popularity[:-1]),
        ("item_pks.npy", pks.astype(np.float64)),
        ("item_pks.npy", pks[:0]),
    ]
    with ServingProbe(site) as probe:
        for name, content in forged:
            (directory / name).unlink()
            saved(content)(directory / name)
            entry = {"dtype": content.dtype.str, "shape": list(content.shape)}
            manifest = forge(directory, name, entry)
            site.sql("UPDATE recommender_modelversion SET manifest_sha256 = %s WHERE name = 'v2'", manifest)
            assert_refused(site)
            shutil.rmtree(directory)
            shutil.copytree(aside, directory)
        # Another catalogue's: it opens, and recommends nothing that is not here.
        others = pks + 1_000_000
        (directory / "item_pks.npy").unlink()
        saved(others)(directory / "item_pks.npy")
        entry = {"dtype": others.dtype.str, "shape": list(others.shape)}
        site.sql(
            "UPDATE recommender_modelversion SET manifest_sha256 = %s WHERE name = 'v2'",
            forge(directory, "item_pks.npy", entry),
        )
        site.point_at("v2")
        assert wait_until(lambda: bool(site.list_for()["fallback"]), 20)
        probe.wait_for(10)
    line.took(probe)


@pytest.mark.long
@pytest.mark.fault(22)
def test_manifest_names_a_missing_file(site: Site, line: Line) -> None:
    """Beside a version that serves; at the start the last good one serves, and with none left the popular list."""
    with ServingProbe(site) as probe:
        (site.directory_of("v2") / "item_pks.npy").unlink()
        assert_refused(site)
        probe.wait_for(10)
    site.point_at("v2")
    site.running["web"].stop()
    site.start_web()
    assert site.version_served() == "v1"
    (site.directory_of("v1") / "item_pks.npy").unlink()
    site.running["web"].stop()
    site.start_web()
    document = site.list_for()
    assert (document["fallback"], document["fallback_reason"]) == (True, "no_model")
    line.took(probe)


@pytest.mark.fault(23)
@pytest.mark.long
def test_bad_model_is_rolled_back_by_one_command(site: Site, line: Line) -> None:
    """Whatever the gate has let through: one command, and the version before serves within ten seconds."""
    site.manage("rollback_model", "v2")
    assert wait_until(lambda: site.version_served() == "v2", 10)
    with ServingProbe(site) as probe:
        began = time.monotonic()
        site.manage("rollback_model", "v1")
        assert wait_until(lambda: site.version_served() == "v1", 10)
        seconds = time.monotonic() - began
        probe.wait_for(10)
    line.notes.append(f"rolled back after {seconds:.1f} s")
    assert seconds < 10
    line.took(probe)


LIMITED = """
import resource
import django; django.setup()
from django.core.management import call_command
from recommender.registry import storage
write = storage.write
def limited(*arguments):
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    return write(*arguments)
storage.write = limited
call_command("rebuild_models", "--force")
"""


@pytest.mark.fault(25)
@pytest.mark.long
def test_disk_of_the_models_full(site: Site, line: Line) -> None:
    """No file may grow beyond a page: the rebuild fails and says why, nothing of it stays."""
    before = sorted(path.name for path in site.models.iterdir())
    with ServingProbe(site) as probe:
        said = site.python("-c", LIMITED, check=False)
        probe.wait_for(10)
    assert "not written: File too large" in said, said[-2000:]
    assert sorted(path.name for path in site.models.iterdir()) == before
    [[state, error]] = site.sql("SELECT state, error FROM recommender_rebuildjob ORDER BY fencing_token DESC LIMIT 1")
    assert state == "failed"
    assert "File too large" in error
    assert site.version_served() == "v1"
    line.took(probe)

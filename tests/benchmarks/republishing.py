"""New versions without a rebuild: any arrays, or those of the version that serves once more."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from recommender.registry import jobs, publishing, retention, storage
from recommender.registry.jobs import Lease
from recommender.registry.manifest import INDEX_PREFIX
from recommender.registry.storage import StoredVersion
from recommender.vector_index.base import INDEX_FILE, BuiltIndex, read_meta


def publish(
    arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], indexes: Mapping[str, BuiltIndex]
) -> StoredVersion:
    """Write the next version, let it serve, and remove what nobody needs any more; as a rebuild does in the end."""
    lease = jobs.claim("benchmark")
    if not isinstance(lease, Lease):
        raise AssertionError(f"a rebuild is under way: {lease}")
    with lease:
        name = publishing.next_name()
        stored = storage.write(name, arrays, meta, indexes)
        version = publishing.record_version(name, stored=stored, fencing_token=lease.fencing_token, metrics={})
        publishing.publish(version, fencing_token=lease.fencing_token)
        lease.finish(version)
        retention.apply()
    return stored


def publish_again() -> StoredVersion:
    """Copy the version that serves, and let the copy serve."""
    pointer = publishing.pointer()
    assert pointer is not None
    serving = pointer.version
    bundle = storage.load(serving.directory, serving.manifest_sha256)
    directory = storage.root() / serving.directory
    indexes = {name: _Copy(directory / f"{INDEX_PREFIX}{name}") for name in bundle.indexes}
    return publish(bundle.arrays, bundle.meta, indexes)


class _Copy(BuiltIndex):
    """An index that has been saved before."""

    def __init__(self, saved: Path) -> None:
        self.meta = read_meta(saved)
        self._saved = saved

    def save_files(self, directory: Path) -> list[str]:
        files = sorted(file.name for file in self._saved.iterdir() if file.name != INDEX_FILE)
        for file in files:
            shutil.copyfile(self._saved / file, directory / file)
        return files

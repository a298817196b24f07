"""Files of vectors, one item a row: what numpy, a script or a spreadsheet writes.

.npz             arrays `item_ids` (n,) and `vectors` (n, dimension), as `numpy.savez` writes them; never unpickled
.jsonl, .ndjson  a line an item: {"item_id": "heat", "vector": [0.1, …]}
.csv             header `item_id,vector`, the numbers of a vector separated by |
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from catalog.datasets.files import DatasetFile
from catalog.datasets.lines import TextLines
from catalog.datasets.problems import DatasetError, Problem, Problems, shown
from catalog.datasets.table import Table

Row = tuple[int, str, Sequence[float]]
"""Line in the file (of an .npz: which vector, from 1), the item's id, and its numbers, not checked."""


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    item_id: str
    vector: list[float]


def read(path: Path, problems: Problems) -> Iterator[Row]:
    """Yield the rows of a file, told by its suffix; broken ones go to `problems` and are left out.

    Raises
    ------
    DatasetError
        The file is missing, of another kind, or broken as a whole.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DatasetError(f"{path.name} is of no known kind; known are {', '.join(_READERS)}")
    if not path.is_file():
        raise DatasetError(f"{path} is no file")
    return reader(path, problems)


def _read_arrays(path: Path, problems: Problems) -> Iterator[Row]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            ids, vectors = arrays["item_ids"], arrays["vectors"]
    except KeyError as error:
        raise DatasetError(f"{path.name} lacks an array; needed are item_ids and vectors ({error.args[0]})") from error
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path.name} cannot be read: {error}") from error
    if ids.dtype.kind not in "Uiu" or vectors.dtype.kind not in "fiu":
        message = (
            f"{path.name}: item_ids must be text or integers, vectors numbers; got {ids.dtype} and {vectors.dtype}"
        )
        raise DatasetError(message)
    if ids.ndim != 1 or vectors.ndim != 2 or len(ids) != len(vectors):
        message = f"{path.name}: item_ids {ids.shape} and vectors {vectors.shape} must be (n,) and (n, dimension)"
        raise DatasetError(message)
    for row, (item_id, vector) in enumerate(zip(ids.tolist(), vectors, strict=True), start=1):
        yield row, str(item_id), vector


def _read_lines(path: Path, problems: Problems) -> Iterator[Row]:
    lines = TextLines(_file(path), problems)
    decoder = msgspec.json.Decoder(_Line)
    for line in lines:
        if not line.strip():
            continue
        try:
            given = decoder.decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            problem = Problem(file=path.name, row=lines.row, code="row_invalid", message=str(error), value=shown(line))
            problems.add(problem)
        else:
            yield lines.row, given.item_id, given.vector


def _read_cells(path: Path, problems: Problems) -> Iterator[Row]:
    table = Table(_file(path), problems, required=("item_id", "vector"))
    for row, cells in table:
        given = dict(zip(table.columns, cells, strict=True))
        try:
            numbers = [float(number) for number in given["vector"].split("|")]
        except ValueError as error:
            message = f"vector is not numbers separated by |: {error}"
            problem = Problem(file=path.name, row=row, code="type", column="vector", message=message)
            problems.add(problem)
        else:
            yield row, given["item_id"], numbers


def _file(path: Path) -> DatasetFile:
    return DatasetFile(path.name, path.stat().st_size, lambda: path.open("rb"))


_READERS: dict[str, Callable[[Path, Problems], Iterator[Row]]] = {
    ".npz": _read_arrays,
    ".jsonl": _read_lines,
    ".ndjson": _read_lines,
    ".csv": _read_cells,
}

"""Everything the recommender raises on purpose, split by whose fault it is.

RecommenderError
├── RequestError            the caller asked for something that cannot be (4xx)
│   ├── UnknownItem
│   ├── UnknownPlacement
│   └── CursorInvalid       the next page of a list that is not, or no longer, there
├── ConfigurationError      a setting or a recipe is wrong (raised at start and by checks)
├── DataError               the events or the catalogue cannot be trained on
│   └── NotEnoughData
├── BackendError            Postgres, Redis, an index or an artefact failed; a fallback answers
│   ├── ArtifactError           missing, truncated, altered or of the wrong shape
│   ├── ModelUnavailable        no version can be loaded
│   └── EngineFailed            what trains the models did not start, or did not finish
├── RulesRefused            editors' rules that must not be published
└── LeaseLost               another rebuild has taken over; this one must not publish
"""

from __future__ import annotations

from collections.abc import Sequence


class RecommenderError(Exception):
    """Base of all. `code` is what the API shows."""

    code = "recommender_error"


class RequestError(RecommenderError):
    """The request names something that does not exist or cannot be combined."""

    code = "request_invalid"


class UnknownItem(RequestError):
    """The seed item is not in the catalogue."""

    code = "item_unknown"

    def __init__(self, item_id: str) -> None:
        super().__init__(f"There is no item {item_id!r}.")
        self.item_id = item_id


class UnknownPlacement(RequestError):
    """No active placement has this name, or no placement stands on this page."""

    code = "placement_unknown"


class CursorInvalid(RequestError):
    """A cursor goes on with no list that is kept for this user and these parameters."""

    code = "cursor_invalid"


class ConfigurationError(RecommenderError):
    """A setting names a stage or a backend that cannot be used."""

    code = "configuration_invalid"


class DataError(RecommenderError):
    """The stored data cannot be used as it is."""

    code = "data_invalid"


class NotEnoughData(DataError):
    """Too few users, items or events to train on."""

    code = "not_enough_data"


class BackendError(RecommenderError):
    """Something the recommender leans on failed."""

    code = "backend_failed"


class ArtifactError(BackendError):
    """A model file is missing, truncated, altered, or not of the stated shape or type.

    `file` names it, `check` is a short word for what it failed ("missing", "sha256", "shape", …).
    """

    code = "artifact_invalid"

    def __init__(self, message: str, *, file: str, check: str) -> None:
        super().__init__(message)
        self.file = file
        self.check = check


class ModelUnavailable(BackendError):
    """No published version can be loaded."""

    code = "model_unavailable"


class LeaseLost(RecommenderError):
    """A newer rebuild holds the lease."""

    code = "lease_lost"


class EngineFailed(BackendError):
    """The training engine cannot be reached, or gave up."""

    code = "engine_failed"


class RulesRefused(RecommenderError):
    """Rules cannot be published, or there is nothing to go back to.

    Parameters
    ----------
    reasons
        What is wrong and what to do, each in words for editors.
    """

    code = "rules_refused"

    def __init__(self, reasons: Sequence[object]) -> None:
        super().__init__(" ".join(map(str, reasons)))
        self.reasons = list(reasons)

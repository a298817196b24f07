"""What the encoders with a pre-trained model and an optional library have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import Any, ClassVar

from django.core.checks import CheckMessage, Error

from recommender.exceptions import ConfigurationError
from recommender.training.encoders.base import TextEncoder


class PretrainedEncoder(TextEncoder):
    """Base of encoders whose option `model` is a folder, or a name at huggingface.co.

    What is fetched is kept in the library's cache. Name another folder for another model: the vectors of one name are
    taken to be the same.
    """

    library: ClassVar[str]
    """What is imported."""
    install: ClassVar[str]
    """The command that installs it."""

    def fingerprint(self) -> str:
        return f"{self.library} {self.options['model']}"

    @abstractmethod
    def load(self, name: str) -> Any:
        """Return the model `name`; ImportError without the library, OSError or ValueError without the model."""

    @cached_property
    def model(self) -> Any:
        """The model, read once; ConfigurationError when it or its library is missing."""
        name = self.options["model"]
        try:
            return self.load(name)
        except ImportError as error:
            raise ConfigurationError(f"Encoder {self.alias!r} needs a library: {self.install}.") from error
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"Encoder {self.alias!r}: the model {name!r} cannot be had: {error}") from error

    def check(self) -> Sequence[CheckMessage]:
        if find_spec(self.library) is not None:
            return []
        message = f"RECOMMENDER_ENCODERS[{self.alias!r}] needs the library {self.library}."
        return [Error(message, hint=f"{self.install}, or remove the entry.", id="recommender.E006")]

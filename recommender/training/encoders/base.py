"""The interface of an encoder, made from one entry of RECOMMENDER_ENCODERS."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from django.core.checks import CheckMessage
from numpy.typing import NDArray

from catalog.snapshot import ItemCard
from recommender import backends
from recommender.exceptions import ConfigurationError, DataError


class Encoder(ABC):
    """One way to make vectors of items. Importing its file may not need an optional library; `encode` may."""

    default_options: ClassVar[Mapping[str, Any]] = {}
    """Every option with its default: texts, and integers of 1 or more."""

    def __init__(self, alias: str, options: Mapping[str, Any]) -> None:
        """Take the entry's OPTIONS; raise ConfigurationError naming the option, the value and what is allowed."""
        self.alias = alias
        for option, value in options.items():
            stated = f"RECOMMENDER_ENCODERS[{alias!r}]"
            if option not in self.default_options:
                allowed = ", ".join(sorted(self.default_options)) or "none"
                raise ConfigurationError(f"{stated}: unknown option {option!r}; options are: {allowed}.")
            wanted = type(self.default_options[option])
            if type(value) is not wanted or (wanted is int and value < 1):
                needed = "text" if wanted is str else "an integer of 1 or more"
                raise ConfigurationError(f"{stated}: {option} is {value!r}; it must be {needed}.")
        self.options: dict[str, Any] = {**self.default_options, **options}

    @abstractmethod
    def encode(self, cards: Sequence[ItemCard], dimension: int, seed: int) -> NDArray[np.float32]:
        """Return (items, dimension) float32, of unit length; the zero vector for an item that says nothing.

        Raises
        ------
        ConfigurationError
            An optional library or a model is missing.
        DataError
            It cannot make vectors of this dimension, or made one that is not finite.
        """

    def check(self) -> Sequence[CheckMessage]:
        """Return system-check messages about this encoder on this machine."""
        return []


class TextEncoder(Encoder):
    """Base of the encoders that read an item as one text, whatever the other items are.

    Their vectors are kept (`training.encoded_texts`): only a text that is new or has changed is encoded again.
    """

    @abstractmethod
    def fingerprint(self) -> str:
        """Return what changes whenever the same text would get another vector."""

    def encode(self, cards: Sequence[ItemCard], dimension: int, seed: int) -> NDArray[np.float32]:
        texts = [text_of(card) for card in cards]
        saying = np.flatnonzero([bool(text) for text in texts])
        vectors = np.zeros((len(cards), dimension), dtype=np.float32)
        if len(saying):
            encoded = np.asarray(self.encode_texts([texts[row] for row in saying]), dtype=np.float32)
            if encoded.shape[1] != dimension:
                made = f"Encoder {self.alias!r} makes vectors of {encoded.shape[1]} dimensions"
                raise DataError(f"{made}; its embedding space has {dimension}.")
            finite = np.isfinite(encoded).all(axis=1)
            if not finite.all():
                item_id = cards[saying[~finite][0]].item_id
                raise DataError(f"Encoder {self.alias!r} makes NaN or infinity of the text of item {item_id!r}.")
            lengths = np.linalg.norm(encoded, axis=1, keepdims=True)
            vectors[saying] = np.divide(encoded, lengths, out=np.zeros_like(encoded), where=lengths > 0)
        return vectors

    @abstractmethod
    def encode_texts(self, texts: list[str]) -> NDArray[np.float32]:
        """Return (len(texts), any dimension) finite vectors of texts that are not empty."""


def text_of(card: ItemCard) -> str:
    """Return what an item says about itself: title, creators, category, tags and description, "" for nothing."""
    parts = [card.title, ", ".join(card.creators), card.category, ", ".join(card.tags), card.description]
    return ". ".join(part.strip() for part in parts if part.strip())


def encoder(alias: str) -> Encoder:
    """Return the encoder of `alias`; ConfigurationError when the setting cannot be used."""
    return backends.make("ENCODERS", alias, Encoder)  # type: ignore[type-abstract] # mypy takes these for no classes

"""What can be recommended. Postgres is the truth; `catalog.snapshot` is the copy that requests read."""

from __future__ import annotations

import math
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Upper

from catalog.announcing import AnnouncingModel


class Item(AnnouncingModel):
    """One thing that can be recommended: a film, a product, an article."""

    item_id = models.CharField(max_length=200, unique=True, help_text="The site's own id, as the API uses it.")
    title = models.CharField(max_length=500)
    description = models.TextField(blank=True, default="")
    category = models.CharField(max_length=100, blank=True, default="", db_index=True)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    creators = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    language = models.CharField(max_length=16, blank=True, default="")
    countries = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    image_url = models.CharField(max_length=1000, blank=True, default="", help_text="http(s)://… or /path.")
    url = models.CharField(
        max_length=1000, blank=True, default="", help_text="http(s)://… or /path. Empty: the site's own item page."
    )
    duration_minutes = models.PositiveIntegerField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    available_from = models.DateTimeField(null=True, blank=True)
    available_until = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True, help_text="Off: gone from every list on the next request.")
    attributes = models.JSONField(default=dict, blank=True)
    popularity = models.FloatField(default=0.0, editable=False, help_text="Rolling, decayed count of events.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    # Of the catalogue, when it last changed; a trigger writes it, whatever is saved here.
    revision = models.BigIntegerField(db_default=0, db_index=True, editable=False)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            GinIndex(fields=["tags"], name="item_tags"),
            GinIndex(fields=["title"], name="item_title_trigram", opclasses=["gin_trgm_ops"]),
            models.Index(OpClass(Upper("title"), name="text_pattern_ops"), name="item_title_start"),
            models.Index(fields=["-popularity"], name="item_popularity"),
            models.Index(fields=["-published_at"], name="item_published"),
            models.Index(fields=["language"], name="item_language"),
            GinIndex(fields=["countries"], name="item_countries"),
        ]

    def __str__(self) -> str:
        return self.title


class ItemText(models.Model):
    """What an item's words are found by. Triggers write it, whatever is saved.

    Beside the items, because popularity rewrites those every minute, and every index of theirs with them.
    """

    # The database deletes it with its item.
    item = models.OneToOneField(
        Item, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    document = SearchVectorField()

    class Meta:
        indexes: ClassVar = [GinIndex(fields=["document"], name="item_text")]

    def __str__(self) -> str:
        return str(self.item_id)


class ItemPresentation(AnnouncingModel):
    """Another title or picture of an item, which some are shown instead of its own (`presentations`)."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="presentations")
    title = models.CharField(max_length=500, blank=True, default="", help_text="Empty: the item's own.")
    image_url = models.CharField(
        max_length=1000, blank=True, default="", help_text="http(s)://… or /path. Empty: the item's own."
    )
    is_active = models.BooleanField(default=True, help_text="Off: shown to nobody from the next request on.")

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(title="", image_url=""), name="presentation_differs"),
        ]

    def __str__(self) -> str:
        return self.title or self.image_url


class EmbeddingSpace(models.Model):
    """A family of vectors that can be compared with each other (audio 768, text 384, …)."""

    class Metric(models.TextChoices):
        COSINE = "cosine", "cosine"
        DOT = "dot", "inner product"

    name = models.SlugField(max_length=50, unique=True)
    dimension = models.PositiveIntegerField(validators=[MinValueValidator(64), MaxValueValidator(1024)])
    metric = models.CharField(max_length=10, choices=Metric, default=Metric.COSINE)
    weight = models.FloatField(
        default=1.0,
        validators=[MinValueValidator(0.0)],
        help_text="Share of this space when several are blended; 0: it is not used.",
    )
    encoder = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="Key of RECOMMENDER_ENCODERS: what computes the vectors in a rebuild. Empty: they are uploaded.",
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(dimension__range=(64, 1024)), name="dimension_64_to_1024"),
            # NaN is greater than infinity in Postgres.
            models.CheckConstraint(
                condition=models.Q(weight__gte=0, weight__lt=math.inf), name="weight_0_or_more_and_finite"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ItemEmbedding(models.Model):
    """One item's vector in one space, as little-endian float32."""

    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="embeddings")
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.CASCADE, related_name="embeddings")
    vector = models.BinaryField()
    model_version = models.CharField(max_length=50, blank=True, default="")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["item", "space"], name="one_vector_per_space")]

    def __str__(self) -> str:
        return f"{self.item_id} in {self.space_id}"


class Revision(models.Model):
    """A counter that a trigger raises in the same transaction as the rows it stands for."""

    name = models.CharField(max_length=50, primary_key=True)
    value = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.name} {self.value}"


class AnsweredRequest(models.Model):
    """What a request that came with an `Idempotency-Key` was answered, see `catalog.api.once`."""

    name = models.CharField(max_length=64, primary_key=True)
    """SHA-256 of who sent it and his key."""
    asked = models.CharField(max_length=64)
    """SHA-256 of the path and the body."""
    status = models.PositiveSmallIntegerField()
    answer = models.TextField()
    """JSON."""
    answered_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"{self.status} to {self.name}"

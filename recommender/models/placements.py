"""Places of the site where carousels stand."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from catalog.announcing import AnnouncingModel


class Placement(AnnouncingModel):
    """A place of the site where a carousel stands."""

    name = models.SlugField(
        max_length=100, unique=True, help_text="What templates and the API call it. It cannot be changed later."
    )
    title = models.CharField(
        max_length=200,
        help_text="Above the row. {seed} stands for the title of the item that the row is about, {category} for its "
        "category, {place} for “in France” where the visitor's country is known and “now” elsewhere.",
    )
    recipe = models.CharField(max_length=100, help_text="How its items are found.")
    limit = models.PositiveSmallIntegerField(
        "number of items",
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="1 to 100.",
    )
    minimum = models.PositiveSmallIntegerField(default=4, help_text="With fewer items a page does not show the row.")
    fallback = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="Answers when the recipe above cannot, and fills the row up when it finds fewer than the minimum. "
        "Empty: the recipe's own fallback answers when nothing is found, and nothing is filled up.",
    )
    page = models.SlugField(max_length=100, default="home", help_text="The page on which it stands.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the page, 0 is first.")
    dedupe_group = models.SlugField(
        "repeat no item of",
        max_length=100,
        blank=True,
        default="",
        help_text="Rows of one page with the same word here repeat none of each other's items. Empty: all rows of the "
        "page that are empty here.",
    )
    diversity = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="0: only the best-scored items. 1: nothing but variety. Empty: as the recipe has it.",
    )
    freshness = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="0: age does not matter. 1: an item counts half after a month. Empty: as the recipe has it.",
    )
    explores = models.BooleanField(
        default=True, help_text="One slot of a personalised list goes to an item that hardly anybody has been shown."
    )
    cache_seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(86_400)],
        help_text="How long a list may be shown again to the same person while nothing changes. 0: made anew each "
        "time. Empty: as long as on other rows.",
    )
    editors = models.ManyToManyField(
        "auth.Group",
        blank=True,
        related_name="+",
        help_text="Only members of these groups may change it, and rules that are for it. None: everybody whose role "
        "allows it.",
    )
    is_active = models.BooleanField(default=True, help_text="Off: it is shown nowhere.")

    class Meta:
        ordering: ClassVar = ["page", "position", "name"]
        permissions: ClassVar = [("edit_every_placement", "Can edit placements in the hands of any group")]

    def __str__(self) -> str:
        return self.name

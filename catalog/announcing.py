"""Base of the tables whose committed changes show on the next request."""

from __future__ import annotations

from typing import Any

from django.db import models

from catalog import revisions


class AnnouncingQuerySet(models.QuerySet[Any]):
    """Query set whose writes announce the table's new revision after commit.

    The revision itself is raised by a trigger in the same transaction, so raw SQL is covered too
    (the announcement then waits for the periodic `revisions.announce_all`). Announcing comes after the write: without
    a surrounding transaction "after commit" is at once.
    """

    def update(self, **kwargs: Any) -> int:
        updated = super().update(**kwargs)
        revisions.announce_after_commit()
        return updated

    def delete(self) -> tuple[int, dict[str, int]]:
        deleted = super().delete()
        revisions.announce_after_commit()
        return deleted

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[Any]:
        created = super().bulk_create(*args, **kwargs)
        revisions.announce_after_commit()
        return created


class AnnouncingModel(models.Model):
    """Base of every table that steers serving: a committed change shows on the next request."""

    objects = AnnouncingQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        revisions.announce_after_commit()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        deleted = super().delete(*args, **kwargs)
        revisions.announce_after_commit()
        return deleted

"""What editors do to many items at once."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, F, Func, QuerySet, Value
from django.db.models.functions import Now
from unfold.widgets import UnfoldAdminTextInputWidget

from catalog.models import Item
from catalog.records import MAX_LIST, InvalidItem, item_record


class ItemFieldForm(forms.Form):
    """One field of items, under the rules of `catalog.records`."""

    item_field: ClassVar[str]

    def checked(self, value: object) -> Any:
        """Return what the record makes of a value of `item_field`; ValidationError when it is refused."""
        try:
            return getattr(item_record({"item_id": "-", "title": "-", self.item_field: value}), self.item_field)
        except InvalidItem as error:
            raise forms.ValidationError(error.message) from error


class CategoryForm(ItemFieldForm):
    """The category of some items."""

    item_field = "category"
    category = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget, help_text="Empty: none.")

    def clean_category(self) -> str:
        """Return the category."""
        return str(self.checked(self.cleaned_data["category"]))


class TagForm(ItemFieldForm):
    """A tag for some items."""

    item_field = "tags"
    tag = forms.CharField(widget=UnfoldAdminTextInputWidget)

    def clean_tag(self) -> str:
        """Return the tag."""
        (tag,) = self.checked([self.cleaned_data["tag"]])
        return str(tag)


def show(items: QuerySet[Item]) -> str:
    """Make items eligible again."""
    return f"{_update(items, is_active=True)} items can be shown."


def hide(items: QuerySet[Item]) -> str:
    """Take items out of every list on the next request."""
    return f"{_update(items, is_active=False)} items are gone from every list."


def set_category(items: QuerySet[Item], category: str) -> str:
    """Give items a category."""
    return f"{_update(items, category=category)} items are in {category!r} now."


def add_tag(items: QuerySet[Item], tag: str) -> str:
    """Give items a tag besides those they have."""
    without = items.exclude(tags__contains=[tag]).filter(tags__len__lt=MAX_LIST)
    more = Func(
        F("tags"),
        Value(tag, output_field=CharField()),
        function="array_append",
        output_field=ArrayField(CharField(max_length=100)),
    )
    return f"{_update(without, tags=more)} items have got the tag {tag!r}."


def _update(items: QuerySet[Item], **values: Any) -> int:
    return items.update(**values, updated_at=Now())

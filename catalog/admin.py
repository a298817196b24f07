"""The catalogue in the admin: checked as the API checks it, quick with millions of items."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.postgres.forms import SimpleArrayField
from django.db.models import Q, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminTextInputWidget

from catalog import bulk_actions, item_actions, item_picker, presentations, queries
from catalog.item_actions import CategoryForm, TagForm
from catalog.item_spreadsheet import ItemResource
from catalog.models import EmbeddingSpace, Item, ItemEmbedding, ItemPresentation
from catalog.paginating import EstimatingPaginator
from catalog.records import ITEM_FIELDS, InvalidItem, check_image_url, item_record
from catalog.spreadsheets import SpreadsheetAdmin


class SeparatedField(SimpleArrayField):
    """A list of texts in one line."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminTextInputWidget()
        super().__init__(forms.CharField(), delimiter="|", required=False, widget=widget, **kwargs)


class ItemForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable when running
    """An item under the rules of `catalog.records`."""

    tags = SeparatedField(help_text="Separated by |")
    creators = SeparatedField(help_text="Separated by |")
    countries = SeparatedField(help_text="Two-letter codes, separated by |")

    class Meta:
        model = Item
        fields = ITEM_FIELDS

    def clean(self) -> dict[str, Any]:
        """Show a refusal of `item_record` beside its field; keep what it made of the lists."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        cleaned["attributes"] = cleaned.get("attributes") or {}
        try:
            record = item_record({name: cleaned[name] for name in ITEM_FIELDS})
        except InvalidItem as error:
            self.add_error(error.field.partition("[")[0], error.message)
        else:
            cleaned |= {name: getattr(record, name) for name in ("title", "tags", "creators", "countries")}
        return cleaned


class CategoryFilter(admin.SimpleListFilter):
    """Categories, without reading every item to find them."""

    title = "category"
    parameter_name = "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the categories there are."""
        return [(category, category) for category in queries.categories()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Item]) -> QuerySet[Item]:
        """Keep the items of the chosen category."""
        return queryset.filter(category=self.value()) if self.value() else queryset


class ItemEmbeddingInline(TabularInline):  # type: ignore[misc]
    """Which vectors an item has; they are uploaded, not typed."""

    model = ItemEmbedding
    fields: ClassVar = ["space", "model_version", "updated_at"]
    readonly_fields: ClassVar = fields
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ItemEmbedding]:
        """Leave the vectors in the database."""
        return ItemEmbedding.objects.defer("vector").select_related("space")

    def has_add_permission(self, request: HttpRequest, obj: Item | None = None) -> bool:
        """Refuse: vectors come through the API."""
        return False


class PresentationForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable when running
    """Another title or picture. What people took under one stays its own: it is switched off, not rewritten."""

    class Meta:
        model = ItemPresentation
        fields: ClassVar = ["title", "image_url", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("title", "image_url"):
            # Who may only look has a form without fields.
            if name in self.fields:
                self.fields[name].disabled = self.instance.pk is not None

    def clean(self) -> dict[str, Any]:
        """Refuse what is no presentation: nothing at all, or an address that an item could not have."""
        cleaned = super().clean() or {}
        if not (cleaned.get("title") or cleaned.get("image_url")) and not self.errors:
            raise forms.ValidationError("Give it a title, a picture, or both.")
        try:
            check_image_url(cleaned.get("image_url", ""))
        except InvalidItem as error:
            self.add_error("image_url", error.message)
        return cleaned


class PresentationFormSet(BaseInlineFormSet):  # type: ignore[type-arg] # not subscriptable when running
    """No more at once than can be told apart."""

    def clean(self) -> None:
        """Count those that are on."""
        super().clean()
        given = [form.cleaned_data for form in self.forms if form.is_valid() and form.cleaned_data]
        if sum(one.get("is_active", False) and not one.get("DELETE", False) for one in given) > presentations.MOST:
            raise forms.ValidationError(f"At most {presentations.MOST} can be on at the same time.")


class ItemPresentationInline(TabularInline):  # type: ignore[misc]
    """Other titles and pictures; a bandit finds out which is taken most."""

    model = ItemPresentation
    verbose_name = "title or picture"
    verbose_name_plural = "Other titles and pictures"
    form = PresentationForm
    formset = PresentationFormSet
    fields: ClassVar = ["title", "image_url", "is_active"]
    extra = 0


@admin.register(Item)
class ItemAdmin(SpreadsheetAdmin, ModelAdmin):  # type: ignore[misc]
    """What can be recommended. A saved change shows on the next request."""

    resource_classes: ClassVar = [ItemResource]

    form = ItemForm
    list_display: ClassVar = ["title", "item_id", "category", "is_active", "published_at", "popularity"]
    list_filter: ClassVar = ["is_active", CategoryFilter]
    search_fields: ClassVar = ["item_id", "title"]
    search_help_text = "Part of a title (typing errors are forgiven), or the beginning of an item id"
    readonly_fields: ClassVar = ["popularity", "created_at", "updated_at"]
    inlines: ClassVar = [ItemPresentationInline, ItemEmbeddingInline]
    actions: ClassVar = ["activate", "deactivate", "set_category", "add_tag"]
    paginator = EstimatingPaginator
    show_full_result_count = False
    fieldsets: ClassVar = [
        (None, {"fields": ["item_id", "title", "description", "category", "tags", "creators", "is_active"]}),
        ("Availability", {"fields": ["available_from", "available_until", "countries"]}),
        ("Details", {"fields": ["published_at", "language", "duration_minutes", "image_url", "url", "attributes"]}),
        ("Measured", {"fields": ["popularity", "created_at", "updated_at"]}),
    ]

    def get_urls(self) -> list[URLPattern]:
        """Add what the item pickers ask."""
        view = self.admin_site.admin_view(item_picker.pick)
        return [path("pick/", view, name=item_picker.URL_NAME), *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Item], search_term: str
    ) -> tuple[QuerySet[Item], bool]:
        """Search by index (trigrams, prefix of the id): `icontains` would read every item. No duplicates."""
        term = search_term.strip().replace("\0", "")
        if not term:
            return queryset, False
        return queryset.filter(Q(item_id__startswith=term) | Q(title__trigram_word_similar=term)), False

    @admin.action(description="Show the selected items", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Item]) -> HttpResponse | None:
        """Make items eligible again."""
        return bulk_actions.change(self, request, queryset, title="Show items", do=item_actions.show)

    @admin.action(description="Hide the selected items", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Item]) -> HttpResponse | None:
        """Take items out of every list on the next request."""
        return bulk_actions.change(self, request, queryset, title="Hide items", do=item_actions.hide)

    @admin.action(description="Set the category …", permissions=["change"])
    def set_category(self, request: HttpRequest, queryset: QuerySet[Item]) -> HttpResponse | None:
        """Give items a category."""
        return bulk_actions.change(
            self, request, queryset, title="Set the category", do=item_actions.set_category, form_class=CategoryForm
        )

    @admin.action(description="Add a tag …", permissions=["change"])
    def add_tag(self, request: HttpRequest, queryset: QuerySet[Item]) -> HttpResponse | None:
        """Give items a tag besides those they have."""
        return bulk_actions.change(
            self, request, queryset, title="Add a tag", do=item_actions.add_tag, form_class=TagForm
        )


@admin.register(EmbeddingSpace)
class EmbeddingSpaceAdmin(ModelAdmin):  # type: ignore[misc]
    """Families of comparable vectors."""

    list_display: ClassVar = ["name", "dimension", "metric", "weight", "encoder"]

    def get_readonly_fields(self, request: HttpRequest, obj: EmbeddingSpace | None = None) -> list[str]:
        """Fix the dimension once there are vectors: theirs would no longer agree with it."""
        return ["dimension"] if obj is not None and obj.embeddings.exists() else []

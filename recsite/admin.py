"""API keys and accounts in the admin. A key is shown once, when it is made."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from recsite import api_keys, audit_admin, schedule_admin, user_signatures
from recsite.models import ApiKey

__all__ = ["audit_admin", "schedule_admin"]

admin.site.unregister(User)
admin.site.unregister(Group)


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable when running
    """A name and scopes; the rest is made."""

    scopes = forms.MultipleChoiceField(choices=ApiKey.Scope.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget)

    class Meta:
        model = ApiKey
        fields: ClassVar = ["name", "scopes", "origins", "rate"]
        widgets: ClassVar = {"origins": UnfoldAdminTextInputWidget}
        help_texts: ClassVar = {
            "origins": "For a key that stands in pages: their origins, as https://www.example.org, by commas. "
            "Empty: a secret key, for servers."
        }

    def clean(self) -> dict[str, Any]:
        """Say at its field what makes no key."""
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                api_keys.check(cleaned["name"], cleaned["scopes"], cleaned.get("origins") or [], cleaned.get("rate"))
            except ValueError as error:
                self.add_error(None, str(error))
        return cleaned


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):  # type: ignore[misc]
    """Who may use the API. Keys are made and revoked, never changed or deleted."""

    form = ApiKeyForm
    list_display: ClassVar = ["name", "prefix", "scopes", "origins", "rate", "last_used_at", "revoked_at"]
    search_fields: ClassVar = ["name", "prefix"]
    actions: ClassVar = ["revoke"]
    readonly_times: ClassVar = ["created_at", "last_used_at", "revoked_at"]

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        """Return what to fill in for a new key, what there is of an old one."""
        if obj is None:
            return ["name", "scopes", "origins", "rate"]
        return ["name", "prefix", "scopes", "origins", "rate", "published", *self.readonly_times]

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Allow actions on the list, nothing on a single key."""
        return obj is None and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Refuse: a revoked key tells who had access."""
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """Create the key and show it, this once."""
        key = api_keys.create(obj.name, obj.scopes, obj.origins, obj.rate)
        stored = ApiKey.objects.get(prefix=key.split("_")[1])
        obj.pk, obj.prefix = stored.pk, stored.prefix
        if obj.origins:
            secret = user_signatures.signing_secret(obj.prefix)
            self.message_user(
                request, f"For pages: {key}. Servers sign their users' ids with: {secret}", messages.SUCCESS
            )
        else:
            self.message_user(request, f"Copy the key now, it is not shown again: {key}", messages.WARNING)

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Revoke keys; every process refuses them within five seconds."""
        count = sum(api_keys.revoke(prefix) for prefix in queryset.values_list("prefix", flat=True))
        self.message_user(request, f"{count} keys are revoked.", messages.SUCCESS)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """Accounts of the site and of its staff."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Sets of permissions."""

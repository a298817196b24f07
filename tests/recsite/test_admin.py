"""Keys in the admin: shown once, revoked, never changed or deleted."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recsite import api_keys
from recsite.models import ApiKey

KEYS = "/admin/recsite/apikey/"


@pytest.fixture
def staff(db: None) -> Client:
    api_keys.forget()
    client = Client()
    client.force_login(User.objects.create_superuser("editor"))
    return client


def test_a_new_key_is_shown_once_and_works(staff: Client) -> None:
    answer = staff.post(f"{KEYS}add/", {"name": "shop", "scopes": ["read", "events"]}, follow=True)
    key = re.search(r"rs_[0-9a-f]{8}_[0-9a-f]{40}", answer.text)
    assert key is not None
    verified = api_keys.verify(key[0])
    assert verified is not None
    assert (verified.name, verified.scopes) == ("shop", frozenset({"read", "events"}))
    assert ApiKey.objects.count() == 1
    assert key[0] not in staff.get(KEYS).text


def test_a_key_needs_a_scope(staff: Client) -> None:
    answer = staff.post(f"{KEYS}add/", {"name": "shop"})
    assert list(answer.context["adminform"].form.errors) == ["scopes"]
    assert ApiKey.objects.count() == 0


def test_revoked_keys_are_refused_at_once(staff: Client) -> None:
    key = api_keys.create("shop", ["read"])
    assert api_keys.verify(key) is not None
    staff.post(KEYS, {"action": "revoke", "_selected_action": [ApiKey.objects.get().pk]})
    assert api_keys.verify(key) is None


def test_a_key_is_neither_changed_nor_deleted(staff: Client) -> None:
    api_keys.create("shop", ["read"])
    row = ApiKey.objects.values().get()
    assert staff.get(f"{KEYS}{row['id']}/change/").status_code == 200
    assert staff.post(f"{KEYS}{row['id']}/change/", {"name": "x", "scopes": ["users"]}).status_code == 403
    assert staff.post(f"{KEYS}{row['id']}/delete/", {"post": "yes"}).status_code == 403
    assert ApiKey.objects.values().get() == row


def test_accounts_are_administered(staff: Client) -> None:
    assert staff.get("/admin/auth/user/").status_code == 200
    assert staff.get("/admin/auth/user/add/").status_code == 200
    assert staff.get("/admin/auth/group/").status_code == 200

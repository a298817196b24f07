from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.test import RequestFactory

from interactions.models import UserProfile
from interactions.privacy_signals import refuses_tracking
from recommender import visitor


def request_with(session: dict[str, Any], **headers: str) -> HttpRequest:
    request = RequestFactory().get("/", headers=headers)
    request.session = session  # type: ignore[assignment] # a dict does for reading and writing
    return request


def test_an_id_is_itself() -> None:
    assert visitor.user_id_of("user_789") == "user_789"


def test_a_profile_is_known_by_its_external_id() -> None:
    assert visitor.user_id_of(UserProfile(user_id="user_789")) == "user_789"


@pytest.mark.django_db
def test_an_account_is_known_by_its_linked_profile() -> None:
    account = User.objects.create_user("ada")
    UserProfile.objects.create(user_id="crm-17", account=account)
    assert visitor.user_id_of(account) == "crm-17"


@pytest.mark.django_db
def test_an_account_without_a_profile_is_known_by_its_primary_key() -> None:
    account = User.objects.create_user("ada")
    assert visitor.user_id_of(account) == str(account.pk)


@pytest.mark.parametrize("nobody", [AnonymousUser(), None, ""])
def test_an_anonymous_visitor_is_known_by_his_session(nobody: object) -> None:
    assert visitor.user_id_of(nobody, request_with({})) == ""
    assert visitor.user_id_of(nobody, request_with({visitor.SESSION_KEY: "visitor-1"})) == "visitor-1"
    assert visitor.user_id_of(nobody) == ""


@pytest.mark.parametrize("headers", [{"DNT": "1"}, {"Sec-GPC": "1"}])
def test_nobody_is_known_by_a_browser_that_refuses_tracking(headers: dict[str, str]) -> None:
    request = request_with({visitor.SESSION_KEY: "visitor-1"}, **headers)
    assert refuses_tracking(request)
    assert visitor.user_id_of("user_789", request) == ""
    assert visitor.user_id_of(AnonymousUser(), request) == ""


def test_other_values_of_the_headers_refuse_nothing() -> None:
    assert not refuses_tracking(request_with({}, DNT="0"))
    assert not refuses_tracking(request_with({}))


def test_something_that_is_no_user_is_a_programming_error() -> None:
    with pytest.raises(TypeError, match="or an object with a user_id, not 17"):
        visitor.user_id_of(17)
    with pytest.raises(TypeError):
        visitor.user_id_of(SimpleNamespace(user_id=17))


def test_a_visitor_gets_an_id_once() -> None:
    request = request_with({})
    first = visitor.ensure_visitor_id(request)
    assert first.startswith("visitor-")
    assert len(first) == len("visitor-") + 36
    assert visitor.ensure_visitor_id(request) == first
    assert visitor.visitor_id(request) == first

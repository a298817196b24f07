"""Whom a publishable key may act for."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from django.conf import settings as django_settings
from django.template import Context, Template, TemplateSyntaxError

from recsite import user_signatures

VISITOR = "visitor-3f2b8a6e-1c4d-4e5f-8a9b-0c1d2e3f4a5b"


def test_a_server_elsewhere_signs_with_the_secret_alone() -> None:
    secret = user_signatures.signing_secret("0a1b2c3d")
    signature = hmac.new(secret.encode(), "zoë".encode(), hashlib.sha256).hexdigest()
    assert signature == user_signatures.sign("0a1b2c3d", "zoë")
    assert user_signatures.proves("0a1b2c3d", "zoë", signature)


@pytest.mark.parametrize("signature", ["", "0" * 64, "é", "\ud800"])
def test_nobody_else_is_believed(signature: str) -> None:
    assert not user_signatures.proves("0a1b2c3d", "ann", signature)


def test_a_signature_is_of_one_user_one_key_and_one_site(settings: django_settings) -> None:
    signature = user_signatures.sign("0a1b2c3d", "ann")
    assert not user_signatures.proves("0a1b2c3d", "bob", signature)
    assert not user_signatures.proves("3d2c1b0a", "ann", signature)
    settings.SECRET_KEY = "another"
    assert not user_signatures.proves("0a1b2c3d", "ann", signature)


@pytest.mark.parametrize(
    ("user_id", "own"),
    [
        (VISITOR, True),
        (VISITOR.upper(), False),
        (VISITOR[:-1], False),
        (VISITOR + "0", False),
        (VISITOR + "\n", False),
        # Version 1 is made of the time: others can guess it.
        (VISITOR.replace("-4e5f-", "-1e5f-"), False),
        ("visitor-1", False),
    ],
)
def test_an_id_that_a_browser_has_made_is_its_own_proof(user_id: str, own: bool) -> None:
    assert user_signatures.proves("0a1b2c3d", user_id, "") is own


def test_templates_sign() -> None:
    source = "{% load user_signatures %}{% user_signature key user %}"

    def rendered(**context: str) -> str:
        return Template(source).render(Context(context))

    assert rendered(key="rp_0a1b2c3d_x", user="ann") == user_signatures.sign("0a1b2c3d", "ann")
    assert rendered(key="rp_0a1b2c3d_x", user="") == ""
    with pytest.raises(TemplateSyntaxError, match="rp_"):
        rendered(key="rs_0a1b2c3d_x", user="ann")

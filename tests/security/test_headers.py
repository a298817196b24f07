"""What every answer of a production says to a browser, with the settings that are shipped, in a process of its own."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from recsite import environment
from recsite.environment import BASE_DIRECTORY

PATHS = ("/livez", "/sign-in/", "/admin/login/", "/api/v1/recommendations/ann", "/api/v1/docs", "/nothing/")
PRODUCTION = {
    "DATABASE_URL": "postgres://recsite@127.0.0.1:1/recsite",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": secrets.token_urlsafe(50),
    "ALLOWED_HOSTS": "example.org",
    "NUM_PROXIES": "1",
}
"""Servers that are not there: neither a header nor a refusal may depend on them."""
ASK = f"""
import django, json, logging
django.setup()
logging.disable()
from django.core.management import call_command
from django.test import Client
call_command("check", deploy=True, fail_level="WARNING")
client = Client(raise_request_exception=False, headers={{"Host": "example.org"}})
answers = {{path: client.get(path, secure=True) for path in {PATHS!r}}}
plain = client.get("/livez")
print(json.dumps({{"headers": {{path: dict(one.headers) for path, one in answers.items()}},
    "cookies": {{name: dict(one) for path in answers for name, one in answers[path].cookies.items()}},
    "plain": [plain.status_code, plain.headers.get("Location")]}}))
"""


def run(*command: str, **changed: str) -> subprocess.CompletedProcess[str]:
    variables = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "recsite.settings", **PRODUCTION, **changed}
    return subprocess.run(
        [sys.executable, *command], cwd=BASE_DIRECTORY, env=variables, capture_output=True, text=True, check=False
    )


def test_every_answer_has_them_and_check_deploy_has_nothing_to_say() -> None:
    done = run("-c", ASK)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    for path, headers in told["headers"].items():
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "same-origin", path
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert headers["X-Frame-Options"] == "DENY", path
        policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
        assert policy["base-uri"] == policy["frame-ancestors"] == "'none'", path
        assert policy.get("object-src", policy.get("default-src")) == "'none'", path
        assert "unsafe" not in policy.get("script-src", ""), path
        hsts = dict(part.strip().partition("=")[::2] for part in headers["Strict-Transport-Security"].split(";"))
        assert int(hsts["max-age"]) >= 31_536_000, path
        assert "includeSubDomains" in hsts, path
    assert told["plain"] == [301, "https://example.org/livez"]
    for name, cookie in told["cookies"].items():
        assert (cookie["secure"], cookie["samesite"]) == (True, "Lax"), name


@pytest.mark.parametrize(
    ("proxies", "demanded", "warned"), [(0, True, ["recsite.W001"]), (1, True, []), (0, False, [])]
)
def test_a_proxy_that_is_not_believed_is_told_of(
    settings: django_settings, proxies: int, demanded: bool, warned: list[str]
) -> None:
    """Behind it all visitors would have one address, and share its limit."""
    settings.NUM_PROXIES, settings.SECURE_SSL_REDIRECT = proxies, demanded
    found = run_checks(tags=["security"], include_deployment_checks=True)
    assert [one.id for one in found if str(one.id).startswith("recsite")] == warned


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SECRET_KEY", "", "Set SECRET_KEY"),
        ("SECRET_KEY", "too-short", "Set SECRET_KEY"),
        ("SECRET_KEY", "0" * 64, "Set SECRET_KEY"),
        ("SECRET_KEY", "django-insecure-" + "k3y" * 20, "Set SECRET_KEY"),
        ("DEBUG", True, "DEBUG shows settings"),
        ("ALLOWED_HOSTS", [], "Set ALLOWED_HOSTS"),
        ("ALLOWED_HOSTS", [""], "Set ALLOWED_HOSTS"),
        ("ALLOWED_HOSTS", ["example.org", "*"], "Set ALLOWED_HOSTS"),
    ],
)
def test_what_is_insecure_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: Any, message: str) -> None:
    monkeypatch.setattr(environment, "SECRET_KEY", PRODUCTION["SECRET_KEY"])
    environment.refuse_insecure()
    monkeypatch.setattr(environment, name, value)
    with pytest.raises(ImproperlyConfigured, match=message):
        environment.refuse_insecure()


def test_it_does_not_start_and_says_why_without_the_secret() -> None:
    done = run("-c", "import django; django.setup()", SECRET_KEY="k3y" * 20)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("django.core.exceptions.ImproperlyConfigured: Set SECRET_KEY")
    assert "k3yk3y" not in done.stderr

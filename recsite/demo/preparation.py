"""What a database needs before the demo can run on it. Every step is skipped when it was done before."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

import experiments.demo
from catalog import queries as catalogue
from recommender.registry import publishing
from recsite import api_keys, environment
from recsite.demo.dataset import Dataset
from recsite.models import ApiKey

ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """With what the demo is entered."""

    password: str
    """Of the user `admin`; empty when somebody has changed it since."""
    api_key: str


def prepare(dataset: Dataset, tell: Callable[[str], None]) -> Credentials:
    """Do what is missing, telling each long step before it begins.

    Migrations, catalogue and events, models, the administrator, an API key, an experiment.
    """
    _migrate(tell)
    _import(dataset, tell)
    if publishing.pointer() is None:
        tell("Building the models")
        call_command("rebuild_models")
    experiments.demo.create()
    return Credentials(password=_administrator(), api_key=_api_key())


def publish_key(port: int) -> None:
    """Make the publishable key with which the demo's own page shows the widget, unless there is one."""
    origins = [f"http://{host}:{port}" for host in ("127.0.0.1", "localhost")]
    if not api_keys.published_for(origins[0]):
        api_keys.create("demo widget", api_keys.PUBLISHABLE_SCOPES, origins)


def _migrate(tell: Callable[[str], None]) -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        tell("Preparing the database")
        call_command("migrate", verbosity=0, interactive=False)


def _import(dataset: Dataset, tell: Callable[[str], None]) -> None:
    # The marker is a file: it says nothing about a database that was emptied since.
    if dataset.is_imported() and catalogue.has_items():
        return
    tell(f"Importing {dataset.path.name}")
    call_command("import_dataset", str(dataset.path))
    if dataset.is_own:
        tell("Simulating an audience")
        call_command("simulate_audience")
    dataset.mark_imported()


def _administrator() -> str:
    """Make the superuser with this copy's own password; return the password if it is still the one."""
    password = environment.local_secret("admin_password", characters=12)
    users = get_user_model().objects
    user = users.filter(username=ADMIN).first()
    if user is None:
        users.create_superuser(ADMIN, password=password)
        return password
    return password if user.check_password(password) else ""


def _api_key() -> str:
    """Return the key that this copy keeps for its owner, made anew when the present database does not know it."""
    path = environment.LOCAL_DIRECTORY / "demo_api_key"
    if path.exists() and api_keys.verify(path.read_text().strip()):
        return path.read_text().strip()
    key = api_keys.create("demo", list(ApiKey.Scope.values))
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key)
    return key

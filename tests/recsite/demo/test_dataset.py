from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from recsite import environment
from recsite.demo import dataset


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(environment, "LOCAL_DIRECTORY", tmp_path / ".local")
    monkeypatch.setattr(environment, "LOCAL", True)
    (tmp_path / ".local").mkdir()
    folder = tmp_path / "ML Latest-small"
    folder.mkdir()
    (folder / "movies.csv").write_text("movieId,title,genres\n")
    return folder


def test_each_dataset_has_a_database_of_its_own(folder: Path, tmp_path: Path) -> None:
    assert dataset.find("").database == "recsite"
    name = dataset.find(str(folder)).database
    assert re.fullmatch(r"recsite_ml_latest_small_[0-9a-f]{6}", name)
    namesake = tmp_path / "other" / "ML Latest-small"
    namesake.mkdir(parents=True)
    assert dataset.find(str(namesake)).database != name


def test_a_missing_dataset_is_named(folder: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        dataset.find(f"{folder}/nowhere")
    assert str(caught.value) == (
        f"There is no dataset at {folder}/nowhere (DATA={folder}/nowhere): name a folder or a zip file."
    )


def test_a_changed_file_is_imported_again(folder: Path) -> None:
    found = dataset.find(str(folder))
    assert not found.is_imported()
    found.mark_imported()
    assert found.is_imported()
    (folder / "movies.csv").write_text("movieId,title,genres\n1,Heat,Crime\n")
    assert not found.is_imported()


def test_choosing_says_whether_settings_are_those_of_another_database(folder: Path) -> None:
    found = dataset.find(str(folder))
    assert found.choose_database() is True
    assert environment.local_database_name() == found.database
    settings.DATABASES["default"]["NAME"], before = found.database, settings.DATABASES["default"]["NAME"]
    try:
        assert found.choose_database() is False
    finally:
        settings.DATABASES["default"]["NAME"] = before


def test_a_named_server_keeps_its_database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "LOCAL", False)
    assert dataset.find(str(folder)).choose_database() is False
    assert not (environment.LOCAL_DIRECTORY / "database").exists()

"""A site of its own for each fault, and a line of the table for each row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import template
from tests.chaos.report import Line
from tests.chaos.site import Site, own_folder
from tests.fault_lines import lines_of


@pytest.fixture(scope="session")
def template_folder() -> Iterator[Path]:
    """The folder that sites are copied from."""
    with own_folder() as folder:
        template.make(folder)
        yield folder


@pytest.fixture
def bare_site(template_folder: Path) -> Iterator[Site]:
    """A site of which nothing runs."""
    with own_folder() as folder:
        site = template.copy(template_folder, folder)
        try:
            yield site
        finally:
            site.stop()


@pytest.fixture
def site(bare_site: Site) -> Site:
    """A site that serves: Postgres, Valkey and the web server."""
    bare_site.start_server(bare_site.postgres)
    bare_site.start_server(bare_site.valkey)
    bare_site.start_web()
    return bare_site


@pytest.fixture
def line(request: pytest.FixtureRequest) -> Line:
    """The line of this test in the table."""
    return lines_of(request.config, request.node)[0]

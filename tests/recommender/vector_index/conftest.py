from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.recommender.vector_index.milvus_lite import MilvusLite


@pytest.fixture(scope="session")
def milvus_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a server that lasts as long as the tests."""
    pytest.importorskip("milvus_lite", reason="Milvus Lite is not installed: `make test-engines` installs it")
    server = MilvusLite(tmp_path_factory.mktemp("milvus")).start()
    yield server.uri
    server.kill()

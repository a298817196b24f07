"""One machine of a site that has several: its own disk and processes; the servers they share are elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from recsite.local_services.postgres import OPTIONS, PORT, Postgres
from recsite.local_services.valkey import Valkey
from tests.chaos.site import DATABASE, Site
from tests.machines.network import Link

REDIS_PORT = 6379


class Hub(Site):
    """The servers that machines share, at an address that they reach."""

    def __init__(self, folder: Path, address: str, store: str) -> None:
        super().__init__(folder)

        class NetworkPostgres(Postgres):
            options: ClassVar = OPTIONS | {"listen_addresses": address}

        class NetworkValkey(Valkey):
            options: ClassVar = Valkey.options | {
                "port": str(REDIS_PORT), "bind": address, "protected-mode": "no",
            }  # fmt: skip

        self.address = address
        self.store = store
        """Address of a server that speaks S3."""
        self.postgres = NetworkPostgres(folder / "pg", folder / "run")
        self.valkey = NetworkValkey(folder / "valkey", folder / "run")

    def open_postgres(self) -> None:
        """Let the machines in; before Postgres starts."""
        with (self.folder / "pg" / "pg_hba.conf").open("a") as file:
            file.write("host all all 198.18.0.0/15 trust\n")


class Machine(Site):
    """What runs on one machine. It asks the hub's Postgres when a test does."""

    def __init__(self, folder: Path, link: Link, hub: Hub) -> None:
        super().__init__(folder)
        self.link = link
        self.hub = hub
        self.host = link.address
        self.launcher = link.launcher

    @property
    def environment(self) -> dict[str, str]:
        """What its programs are told."""
        address = self.hub.address
        return super().environment | {
            "DATABASE_URL": f"postgres://postgres@{address}:{PORT}/{DATABASE}",
            "REDIS_URL": f"redis://{address}:{REDIS_PORT}/0",
            "CELERY_BROKER_URL": f"redis://{address}:{REDIS_PORT}/1",
            "MODEL_STORE": "s3://recsite/models",
            "AWS_ENDPOINT_URL": self.hub.store,
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    @property
    def key(self) -> str:
        """An API key with every scope."""
        return self.hub.key

    def sql(self, statement: str, *values: Any) -> list[Any]:
        """Run one statement; return its rows."""
        return self.hub.sql(statement, *values)

    def versions_on_disk(self) -> set[str]:
        """Return the folders of versions that this machine has fetched."""
        return {path.name for path in self.models.iterdir() if path.is_dir()} if self.models.exists() else set()

"""compose.yaml, read as far as it can be without an engine."""

from __future__ import annotations

import re

import yaml

from recsite.environment import BASE_DIRECTORY

SERVICES = yaml.safe_load((BASE_DIRECTORY / "compose.yaml").read_text())["services"]
VARIABLES = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (BASE_DIRECTORY / "recsite/environment.py").read_text()))
PROXY = (BASE_DIRECTORY / "recsite/operations/Caddyfile").read_text()


def test_everything_that_a_site_needs_is_there() -> None:
    assert set(SERVICES) == {"postgres", "valkey", "migrate", "web", "proxy", "worker", "beat"}
    for name, service in SERVICES.items():
        assert set(service.get("depends_on", ())) <= set(SERVICES), name
        assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")
        assert ("image" in service) != ("build" in service)


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert "reverse_proxy web:8000" in PROXY
    assert SERVICES["web"]["environment"]["NUM_PROXIES"] == PROXY.count("header_up X-Forwarded-For {remote_host}") == 1
    assert PROXY.count("{") == PROXY.count("}")


def test_the_site_knows_what_it_is_told() -> None:
    for name in ("migrate", "web", "worker", "beat"):
        told = SERVICES[name]["environment"]
        assert set(told) <= VARIABLES | {"PROMETHEUS_MULTIPROC_DIR"}, name
        assert told["SECRET_KEY"].startswith("${SECRET_KEY:?"), "there is no default of a secret"
        assert "DEBUG" not in told


def test_volumes_are_declared() -> None:
    declared = set(yaml.safe_load((BASE_DIRECTORY / "compose.yaml").read_text())["volumes"])
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert {name for name in used if not name.startswith(".")} == declared

"""No address that somebody sends is ever asked: there is nothing in the product that could ask one."""

from __future__ import annotations

from tests.security.source import imported, modules, roots

CLIENTS = {"requests", "httpx", "aiohttp", "urllib3", "ftplib", "smtplib", "telnetlib", "xmlrpc"}
OWN_SERVER = "recsite/demo/programs.py"
"""Asks the demo's own web server on this machine whether it is alive."""


def test_nothing_in_the_product_fetches() -> None:
    for path, tree in modules():
        names = imported(tree)
        assert not roots(names) & CLIENTS, path
        assert not {name for name in names if name.startswith("urllib.request")}, path
        assert "http.client" not in names or path == OWN_SERVER, path

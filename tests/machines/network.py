"""Machines of the tests' own: network namespaces, each with a line to its visitors and one to the servers it shares."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One machine as others reach it."""

    namespace: str
    address: str
    """Where its visitors find it."""
    back: str
    """This end of its line to the shared servers."""

    @property
    def launcher(self) -> list[str]:
        """What starts a program there."""
        return ["ip", "netns", "exec", self.namespace]

    def cut(self) -> None:
        """Let nothing through between the machine and the shared servers; nobody is told."""
        _ip("link", "set", self.back, "down")

    def mend(self) -> None:
        """Let everything through again."""
        _ip("link", "set", self.back, "up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Machines, and the address at which they find what they share."""

    hub: str
    links: list[Link]


@contextmanager
def network(machines: int) -> Iterator[Network]:
    """Lay the lines for the `with` block; the test is skipped where that is not allowed."""
    if os.geteuid() or shutil.which("ip") is None:
        pytest.skip("Machines of the tests' own need root and iproute2.")
    # Of the range set aside for tests of networks (RFC 2544); another run beside this one has another part of it.
    part = f"198.18.{os.getpid() % 250}"
    network = Network(hub=f"{part}.200", links=[_link(part, number) for number in range(machines)])
    try:
        try:
            _ip("address", "add", f"{network.hub}/32", "dev", "lo")
            for number, link in enumerate(network.links):
                _lay(link, part, number, network.hub)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"Machines of the tests' own are not allowed here: {error.stderr.strip()}")
        yield network
    finally:
        for link in network.links:
            # Its lines go with it.
            _ip("netns", "delete", link.namespace, check=False)
        _ip("address", "delete", f"{network.hub}/32", "dev", "lo", check=False)


def _link(part: str, number: int) -> Link:
    name = f"rs{os.getpid() % 100_000}{'abcdef'[number]}"
    return Link(namespace=name, address=f"{part}.{8 * number + 2}", back=f"{name}-back")


def _lay(link: Link, part: str, number: int, hub: str) -> None:
    """Lay two lines, of four addresses each."""
    _ip("netns", "add", link.namespace)
    _ip("-n", link.namespace, "link", "set", "lo", "up")
    for side, first in (("front", 8 * number), ("back", 8 * number + 4)):
        here = f"{link.namespace}-{side}"
        _ip("link", "add", here, "type", "veth", "peer", "name", side, "netns", link.namespace)
        _ip("address", "add", f"{part}.{first + 1}/30", "dev", here)
        _ip("link", "set", here, "up")
        _ip("-n", link.namespace, "address", "add", f"{part}.{first + 2}/30", "dev", side)
        _ip("-n", link.namespace, "link", "set", side, "up")
    _ip("-n", link.namespace, "route", "add", hub, "via", f"{part}.{8 * number + 5}")


def _ip(*arguments: str, check: bool = True) -> None:
    subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True)

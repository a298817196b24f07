"""Debian's Chromium, driven by Playwright: what a person sees and does on a page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from unittest import mock

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from playwright.sync_api import Browser, Page, expect, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
DESKTOP, PHONE = (1280, 900), (390, 844)
PATIENCE_MS = 30_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser for the `with` block; the test is skipped on a machine without one."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip("There is no Chromium on this machine: apt-get install chromium.")
    # Playwright runs an event loop in this thread, and Django takes the test's queries for asynchronous code.
    with mock.patch.dict(os.environ, {"DJANGO_ALLOW_ASYNC_UNSAFE": "1"}), sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
            # Those made under the event loop, which Django keeps apart.
            connections.close_all()


class Person:
    """Somebody with a browser window and cookies of his own."""

    def __init__(self, browser: Browser, port: int, size: tuple[int, int] = DESKTOP, **manner: Any) -> None:
        """Open a window; `manner` are options of `Browser.new_context`."""
        width, height = size
        self.origin = f"http://127.0.0.1:{port}"
        context = browser.new_context(
            base_url=self.origin, viewport={"width": width, "height": height}, reduced_motion="reduce", **manner
        )
        context.set_default_timeout(PATIENCE_MS)
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        """What pages broke or wrote to the console as an error."""
        self.page.on(
            "console",
            lambda said: self.complaints.append(f"{said.text} {said.location}") if said.type == "error" else None,
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def signs_in(self, name: str, password: str) -> None:
        """Enter the admin."""
        self.page.goto("/admin/login/")
        self.page.get_by_label("Username").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url("**/admin/")

    @property
    def scrolls_sideways(self) -> bool:
        """Whether the page is wider than the window."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))

    def serious_faults(self, leave_out: str = "") -> list[tuple[str, list[str]]]:
        """Return which serious rules of accessibility the page breaks and where, but for elements of a selector."""
        context = {"exclude": [[leave_out]]} if leave_out else None
        result = Axe().run(self.page, context=context, options={"resultTypes": ["violations"]}).response
        return [
            (cast("str", rule["id"]), [node["html"][:200] for node in rule["nodes"]][:3])
            for rule in result["violations"]
            if rule["impact"] in ("serious", "critical")
        ]

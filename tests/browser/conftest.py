"""The built book, served on loopback, in a real browser."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from visit import ARGUMENTS, chromium, served

ROOT = Path(__file__).parents[2]
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 812}


@pytest.fixture(scope="session")
def html() -> Path:
    """The folder of the finished book; built first if it is not up to date."""
    (ROOT / "_build").mkdir(exist_ok=True)
    # The unit tests' settings for warm kernels are not for real pages.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MLCOURSE_WARM")}
    with (ROOT / "_build/browser-tests.lock").open("w") as lock:
        # One worker builds, the others wait and find nothing left to do.
        fcntl.flock(lock, fcntl.LOCK_EX)
        command = [sys.executable, "-m", "mlcourse.cli", "build"]
        run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"mlcourse build failed\n{run.stderr[-4000:]}"
    return ROOT / "_build/html"


@pytest.fixture(scope="session")
def site(html: Path) -> Iterator[str]:
    """The address of the book, served on a free port of this machine."""
    with served(html) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        reason = "no Chromium here: install chromium to run the browser tests"
        # A gate that skips what it should prove is no gate.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A visitor without history; ``indirect`` parameters are options of the context, such as the viewport."""
    options = {"viewport": DESKTOP, "reduced_motion": "reduce"} | getattr(request, "param", {})
    context = browser.new_context(**options)
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()

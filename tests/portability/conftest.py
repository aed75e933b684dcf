"""What the tests on other environments share: the registry, and which pages they run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from elsewhere import all_pages, few_pages
from uv import find_uv_bin

# Pages start here as they do for whoever builds the book, not as in the unit tests.
for name in ("MLCOURSE_WARM_MODULES", "MLCOURSE_WARM_IDLE"):
    os.environ.pop(name, None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-pages", action="store_true", help="run every page, not only those that import the most")


@pytest.fixture
def pages(request: pytest.FixtureRequest) -> list[Path]:
    """The pages to run: all, or the few that import all that pages import."""
    return all_pages() if request.config.getoption("--all-pages") else few_pages()


@pytest.fixture(scope="session")
def registry() -> None:
    """Skip where the package registry cannot be reached; in CI, fail."""
    ask = [find_uv_bin(), "pip", "compile", "--quiet", "--no-cache", "--no-deps", "-"]
    answer = subprocess.run(ask, input="wheel", capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        reason = "this needs the package registry, which cannot be reached"
        if "CI" in os.environ:
            pytest.fail(f"{reason}\n{answer.stderr}", pytrace=False)
        pytest.skip(reason)

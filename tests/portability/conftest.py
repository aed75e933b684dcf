"""What the tests on other environments share: whether they run every page, and whether they can run at all."""

from __future__ import annotations

import os
import subprocess

import pytest
from elsewhere import by_extras
from uv import find_uv_bin

# Pages start here as they do for whoever builds the book, not as in the unit tests.
for name in ("MLCOURSE_WARM_MODULES", "MLCOURSE_WARM_IDLE"):
    os.environ.pop(name, None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-pages", action="store_true", help="run every page, not a few")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes ``extras`` runs once for the pages that need none, and with --all-pages once for each set."""
    if "extras" in metafunc.fixturenames:
        sets = list(by_extras()) if metafunc.config.getoption("all_pages", default=False) else [()]
        metafunc.parametrize("extras", sets, ids=lambda extras: "-".join(["pages", *extras]))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest last: xdist begins with two tests for each worker, and the two longest shall not be one's."""
    items.sort(key=lambda item: item.path.stem == "test_oldest")


@pytest.fixture
def every_page(request: pytest.FixtureRequest) -> bool:
    return request.config.getoption("all_pages", default=False)


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

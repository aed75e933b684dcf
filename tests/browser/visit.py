"""What it takes to look at the built book as a reader does: a server on loopback, a browser, and its bookkeeping."""

from __future__ import annotations

import contextlib
import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, Response

# Chromium must not call home: every request is counted.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder, served on a free port of this machine."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def chromium() -> str | None:
    """The path of the system's Chromium or Chrome, if it has one."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def open_whole(page: Page, address: str) -> None:
    """Open a page, and wait for the figures too that wait until somebody scrolls to them."""
    page.goto(address)
    page.evaluate("document.querySelectorAll('img[loading=lazy]').forEach(image => image.loading = 'eager')")
    page.wait_for_load_state("networkidle")


def loaded(page: Page, address: str) -> list[tuple[str, int]]:
    """The addresses that a browser really loads for a whole page, each with its bytes."""
    answers: list[Response] = []
    note = lambda answer: answers.append(answer)  # noqa: E731 (Playwright takes no builtin method)
    page.on("response", note)
    open_whole(page, address)
    page.remove_listener("response", note)
    return [(answer.url, len(answer.body())) for answer in answers]

"""What a reader would find broken, looked for in the finished HTML."""

from __future__ import annotations

import http.client
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

# A page without large figures: what a browser loads before anyone scrolls.
MOST_BYTES = 1_000_000
MOST_REQUESTS = 25

# Pages that exist for the site's sake: nothing in them is to be found by a search engine.
_AUXILIARY = {"404.html", "search.html"}

_LEFT_OVER = re.compile(
    r"\{(?:term|ref|doc|cite|numref|eq|abbr|download|sub|sup)[\w:]*\}`"  # a MyST role
    r"|\]\(\S"  # a Markdown link
    r"|^\s*(?::{3,}|`{3,})"  # the fence of a directive
    r"|^\s*#{1,6} \w"  # a heading
    r"|\$\$",  # a formula
    re.MULTILINE,
)
_CSS_ADDRESS = re.compile(r"url\(\s*['\"]?(?!data:)([^'\")]+)|@import\s+['\"]([^'\"]+)")


@dataclass(frozen=True)
class Weight:
    """What a browser loads for a page before anyone scrolls, and the figures that come later."""

    page: str
    bytes: int
    requests: int
    lazy_bytes: int


class Site:
    """A folder of finished HTML.

    Parameters
    ----------
    folder
        Where ``index.html`` lies.
    prefix
        The path below which the site is published, such as ``/mlcourse/``: what links that begin with it mean.
    """

    def __init__(self, folder: Path, prefix: str = "") -> None:
        self.folder, self.prefix = folder, prefix
        self.pages = sorted(path for path in folder.rglob("*.html") if "_static" not in path.relative_to(folder).parts)
        self.soup = cache(self._soup)
        self.anchors = cache(self._anchors)
        self.css_addresses = cache(self._css_addresses)

    def name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _soup(self, page: Path) -> BeautifulSoup:
        return BeautifulSoup(page.read_bytes(), "html.parser")

    def _anchors(self, page: Path) -> frozenset[str]:
        return frozenset(tag[key] for key in ("id", "name") for tag in self.soup(page).find_all(attrs={key: True}))

    def _css_addresses(self, css: Path) -> tuple[str, ...]:
        text = re.sub(r"/\*.*?\*/", "", css.read_text("utf8"), flags=re.DOTALL)
        return tuple(first or second for first, second in _CSS_ADDRESS.findall(text))

    def target(self, address: str, page: Path) -> Path | None:
        """The file that an address means when it stands in ``page``; None if it leads out of the site."""
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            return None
        path = unquote(parts.path)
        if not path:
            return page
        if path.startswith("/"):
            return self.folder / path.removeprefix(self.prefix).lstrip("/")
        return (page.parent / path).resolve()

    def findings(self, page: Path) -> Iterator[str]:
        """What is wrong with one page, a sentence each."""
        soup = self.soup(page)
        yield from self._head(page, soup)
        yield from self._links(page, soup)
        yield from self._loaded(page, soup)
        yield from self._content(soup)

    def _head(self, page: Path, soup: BeautifulSoup) -> Iterator[str]:
        if not (soup.html and soup.html.get("lang")):
            yield "has no language"
        if not (soup.title and soup.title.get_text(strip=True)):
            yield "has no title"
        described = soup.find("meta", attrs={"name": "description"})
        if self.name(page) not in _AUXILIARY and not (described and described.get("content")):
            yield "has no description for search engines: begin it with a sentence"
        headings = [heading.get_text(" ", strip=True).rstrip(" #") for heading in soup.find_all("h1")]
        if len(headings) != 1:
            yield f"has {len(headings)} main headings instead of one: {', '.join(headings)}"

    def _links(self, page: Path, soup: BeautifulSoup) -> Iterator[str]:
        for link in soup.find_all("a", href=True):
            address = link["href"]
            target = self.target(address, page)
            if target is None:
                continue
            if not target.is_file():
                yield f"links to {address}, which does not exist ('{link.get_text(' ', strip=True)}')"
                continue
            anchor = unquote(urlsplit(address).fragment)
            if anchor and target.suffix == ".html" and anchor not in self.anchors(target):
                yield f"links to {address}, but that page has no such place ('{link.get_text(' ', strip=True)}')"

    def _loaded(self, page: Path, soup: BeautifulSoup) -> Iterator[str]:
        for address, _ in self._assets(soup):
            target = self.target(address, page)
            if target is None:
                if not address.startswith("data:"):
                    yield f"asks a third party for {address}"
            elif not target.is_file():
                yield f"asks for {address}, which does not exist"
            elif target.suffix == ".css":
                for inner in self.css_addresses(target):
                    place = self.target(inner, target)
                    if place is None:
                        yield f"asks a third party for {inner} ({self.name(target)})"
                    elif not place.is_file():
                        yield f"asks for {inner}, which does not exist ({self.name(target)})"
        for image in soup.find_all("img"):
            if not image.get("alt", "").strip():
                yield f"shows {image.get('src', 'a picture')[:80]} without an alt text"

    @staticmethod
    def _assets(soup: BeautifulSoup) -> Iterator[tuple[str, Tag]]:
        """What a browser fetches by itself for a page, with the tag that makes it."""
        for tag in soup.find_all(["script", "img", "source", "iframe", "video", "audio", "embed"], src=True):
            yield tag["src"], tag
        for tag in soup.find_all("link", href=True):
            if {"stylesheet", "icon", "preload", "manifest", "modulepreload"} & set(tag.get("rel", [])):
                yield tag["href"], tag

    @staticmethod
    def _content(soup: BeautifulSoup) -> Iterator[str]:
        for output in soup.select(".cell_output .traceback, .cell_output .stderr"):
            lines = output.get_text().strip().splitlines() or [""]
            yield f"shows an error or warning: {lines[-1][:200]}"
        for script in soup.select(".cell_output script"):
            words = (script.get("src") or script.get_text()).split()
            yield f"has a script in an output, which may load anything: {' '.join(words)[:80]}"
        article = soup.select_one("article")
        if article is None:
            return
        # What is code may look like Markdown.
        code = ("pre", "code", "script", "style", "math")
        for text in article.find_all(string=_LEFT_OVER):
            if not any(parent.name in code for parent in text.parents):
                found = _LEFT_OVER.search(text)
                yield f"shows raw Markdown: {text[max(found.start() - 30, 0) : found.end() + 30].strip()!r}"

    def weight(self, page: Path) -> Weight:
        """What a browser loads for a page; fonts count as loaded, the one for formulas only where there are some."""
        soup = self.soup(page)
        now, lazy = {page}, set()
        for address, tag in self._assets(soup):
            target = self.target(address, page)
            if target is None or not target.is_file():
                continue
            (lazy if tag.get("loading") == "lazy" else now).add(target)
            if target.suffix == ".css":
                for inner in self.css_addresses(target):
                    font = self.target(inner, target)
                    if font and font.is_file() and ("math" not in font.name or soup.find("math")):
                        now.add(font)
        return Weight(
            self.name(page),
            sum(path.stat().st_size for path in now),
            len(now),
            sum(path.stat().st_size for path in lazy - now),
        )


def audit(folder: Path, prefix: str = "") -> list[str]:
    """Every finding in the finished book, as ``page: what is wrong``; empty if a reader finds nothing broken."""
    site = Site(folder, prefix)
    findings = [] if (folder / "index.html").is_file() else ["index.html: there is no first page"]
    for page in site.pages:
        findings += [f"{site.name(page)}: {finding}" for finding in site.findings(page)]
        weight = site.weight(page)
        if weight.bytes > MOST_BYTES:
            findings.append(f"{weight.page}: weighs {weight.bytes:,} bytes; the budget is {MOST_BYTES:,}")
        if weight.requests > MOST_REQUESTS:
            findings.append(f"{weight.page}: makes {weight.requests} requests; the budget is {MOST_REQUESTS}")
    return list(dict.fromkeys(findings))


def outside_links(folder: Path) -> dict[str, list[str]]:
    """The addresses outside that the book links to, without their anchors, each with the pages that link there."""
    site = Site(folder)
    found: dict[str, list[str]] = {}
    for page in site.pages:
        for link in site.soup(page).find_all("a", href=re.compile("^https?:")):
            pages = found.setdefault(link["href"].partition("#")[0], [])
            if site.name(page) not in pages:
                pages.append(site.name(page))
    return found


def dead_links(folder: Path, jobs: int = 8) -> list[str]:
    """The links that lead nowhere, as ``address: reason (pages)``. Needs the network.

    Only answers that say so count as dead: a server that refuses robots, or is slow today, may serve a reader well.
    """
    links = outside_links(folder)

    def reason(address: str) -> str:
        request = urllib.request.Request(address, headers={"User-Agent": "Mozilla/5.0 (mlcourse link check)"})
        try:
            with urllib.request.urlopen(request, timeout=30):
                return ""
        except urllib.error.HTTPError as error:
            return f"{error.code} {error.reason}" if error.code in (404, 410) else ""
        except urllib.error.URLError as error:
            return f"no such server ({error.reason})" if isinstance(error.reason, socket.gaierror) else ""
        except (OSError, http.client.HTTPException):
            return ""

    with ThreadPoolExecutor(jobs) as pool:
        reasons = zip(links, pool.map(reason, links), strict=True)
        return [f"{address}: {why} ({', '.join(links[address])})" for address, why in reasons if why]

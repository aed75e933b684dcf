"""What a reader would find broken is found before they do."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from course import Course, one_line

from mlcourse.site import audit as audit_module
from mlcourse.site.audit import Site, audit, dead_links, outside_links

HEAD = '<meta charset="utf-8"><title>T</title><meta name="description" content="About it.">'
GOOD = f'<!doctype html><html lang="en"><head>{HEAD}</head><body><article><h1>T</h1>%s</article></body></html>'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static/book.css").write_text("@font-face { src: url('f.woff2') } a { background: url(data:x) }")
    (tmp_path / "_static/f.woff2").write_bytes(b"0" * 1000)
    (tmp_path / "_static/a.svg").write_bytes(b"1" * 500)
    (tmp_path / "other.html").write_text(GOOD % '<h2 id="there">There</h2>')
    return tmp_path


def found(site: Path, body: str, page: str = GOOD) -> list[str]:
    (site / "index.html").write_text(page % body)
    return audit(site)


def test_a_good_site_has_no_findings(site: Path) -> None:
    body = """
      <a href="other.html#there">x</a> <a href="#top" id="top">y</a> <a href="https://example.org/">outside</a>
      <img src="_static/a.svg" alt="A line that rises"> <code>{term}`x`</code> <pre>](link) $$</pre>
      <link rel="stylesheet" href="_static/book.css?v=1">
    """
    assert found(site, body) == []


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        ('<a href="gone.html">the link</a>', "links to gone.html, which does not exist ('the link')"),
        ('<a href="other.html#gone">x</a>', "links to other.html#gone, but that page has no such place"),
        ('<a href="#gone">x</a>', "links to #gone, but that page has no such place"),
        ('<img src="gone.png" alt="words">', "asks for gone.png, which does not exist"),
        ('<img src="_static/a.svg" alt=" ">', "without an alt text"),
        ('<img src="_static/a.svg">', "without an alt text"),
        ('<script src="https://cdn.example.org/x.js"></script>', "asks a third party for https://cdn.example.org/x.js"),
        ('<link rel="stylesheet" href="//cdn.example.org/x.css">', "asks a third party for //cdn.example.org/x.css"),
        ('<img src="http://example.org/x.png" alt="words">', "asks a third party for http://example.org/x.png"),
        ('<div class="cell_output"><div class="traceback">Tr\nValueError: no</div></div>', "ValueError: no"),
        ('<div class="cell_output"><div class="stderr">a warning</div></div>', "shows an error or warning: a warning"),
        (
            '<div class="cell_output"><script>load( 1 )</script></div>',
            "script in an output, which may load anything: load( 1",
        ),
        ("<p>See {term}`one-hot`.</p>", "shows raw Markdown"),
        ("<p>See [this](that.md).</p>", "shows raw Markdown"),
        ("<p>:::{note}\nx</p>", "shows raw Markdown"),
        ("<p>$$x$$</p>", "shows raw Markdown"),
        ("<h1>Another</h1>", "has 2 main headings instead of one"),
    ],
)
def test_what_is_broken_is_named(site: Path, body: str, finding: str) -> None:
    (only,) = found(site, body)
    assert only.startswith("index.html: ")
    assert finding in only


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (('lang="en"', ""), "has no language"),
        (("<title>T</title>", ""), "has no title"),
        (('content="About it."', 'content=""'), "has no description"),
    ],
)
def test_what_search_engines_and_screen_readers_need_is_asked_for(
    site: Path, change: tuple[str, str], finding: str
) -> None:
    (only,) = found(site, "", GOOD.replace(*change))
    assert finding in only


def test_style_sheets_are_looked_into(site: Path) -> None:
    (site / "_static/book.css").write_text("@import 'https://fonts.example.org/x'; p { background: url(gone.png) }")
    findings = found(site, '<link rel="stylesheet" href="_static/book.css">')
    assert any("asks a third party for https://fonts.example.org/x" in finding for finding in findings)
    assert any("asks for gone.png, which does not exist" in finding for finding in findings)


def test_a_site_without_a_first_page_is_no_site(site: Path) -> None:
    assert audit(site) == ["index.html: there is no first page"]


def test_links_from_the_root_are_understood_below_the_prefix(site: Path) -> None:
    (site / "index.html").write_text(GOOD % '<a href="/course/other.html">x</a>')
    assert audit(site, "/course/") == []
    assert len(audit(site, "/elsewhere/")) == 1


def test_a_page_weighs_what_a_browser_loads_before_anyone_scrolls(site: Path) -> None:
    body = '<link rel="stylesheet" href="_static/book.css"><img loading="lazy" src="_static/a.svg" alt="A line">'
    assert found(site, body) == []
    weight = Site(site).weight(site / "index.html")
    css, page = (site / "_static/book.css").stat().st_size, (site / "index.html").stat().st_size
    assert (weight.bytes, weight.requests, weight.lazy_bytes) == (page + css + 1000, 3, 500)


def test_the_font_for_formulas_counts_where_there_are_some(site: Path) -> None:
    (site / "_static/book.css").write_text("@font-face { src: url('math.woff2') }")
    (site / "_static/math.woff2").write_bytes(b"0" * 1000)
    link = '<link rel="stylesheet" href="_static/book.css">'
    found(site, link)
    assert Site(site).weight(site / "index.html").requests == 2
    found(site, link + "<math><mi>x</mi></math>")
    assert Site(site).weight(site / "index.html").requests == 3


def test_a_page_over_the_budget_is_named(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "MOST_BYTES", 10)
    monkeypatch.setattr(audit_module, "MOST_REQUESTS", 0)
    findings = found(site, "")
    assert any("the budget is 10" in finding for finding in findings)
    assert any("makes 1 requests; the budget is 0" in finding for finding in findings)


class _Answers(http.server.BaseHTTPRequestHandler):
    """Answers with the status that the address names; /301/404 leads on to /404."""

    def do_GET(self) -> None:
        status, _, onwards = self.path.strip("/").partition("/")
        self.send_response(int(status))
        if onwards:
            self.send_header("Location", f"/{onwards}")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a web server on this machine."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_dead_links_are_those_whose_server_says_so(site: Path, server: str) -> None:
    # Gone, refused to robots, out of order, there: with an anchor and without, one address.
    names = ("404", "410", "301/404", "403", "500", "301/200", "200", "200#part")
    found(site, "".join(f'<a href="{server}/{name}">x</a>' for name in names))
    assert len(outside_links(site)) == 7
    assert dead_links(site) == [
        f"{server}/404: 404 Not Found (index.html)",
        f"{server}/410: 410 Gone (index.html)",
        f"{server}/301/404: 404 Not Found (index.html)",
    ]


def test_a_server_that_does_not_exist_is_dead_and_one_that_is_down_is_not(site: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    found(site, f'<a href="http://server.invalid/">x</a> <a href="http://127.0.0.1:{port}/">x</a>')
    (dead,) = dead_links(site)
    assert dead.startswith("http://server.invalid/: no such server (")


def test_the_command_names_dead_links_with_the_pages_they_are_on(course: Course, mlcourse, server: str) -> None:
    book = course.root / "_build/html"
    assert f"there is no book at {book} yet; build it first: mlcourse build" in one_line(mlcourse("links"))
    (book / "part").mkdir(parents=True)
    (book / "index.html").write_text(GOOD % f'<a href="{server}/200">good</a><a href="part/page.html">inside</a>')
    (book / "part/page.html").write_text(GOOD % f'<a href="{server}/200">x</a>')
    done = mlcourse("links")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Dead links: none.\n", "")
    for page in ("index.html", "part/page.html"):
        (book / page).write_text(GOOD % f'<a href="{server}/404#anchor">gone</a>')
    done = mlcourse("links")
    assert (done.returncode, done.stdout) == (1, "Dead links: 1.\n")
    assert done.stderr == f"{server}/404: 404 Not Found (index.html, part/page.html)\n"

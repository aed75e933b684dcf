"""The finished book as a reader meets it: every page sound, light and accessible; search and buttons at work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect
from visit import loaded, open_whole

from conftest import PHONE, ROOT
from mlcourse.site.audit import MOST_BYTES, MOST_REQUESTS
from mlcourse.site.stage import FIGURES, toc_files

LISTED = [f"{name}.html" for name in toc_files(ROOT)]
EVERY = [*LISTED, "search.html", "404.html"]
NOTEBOOK = next(name for name in LISTED if name.startswith("notebooks/"))

at_phone_width = pytest.mark.parametrize("context", [{"viewport": PHONE}], indirect=True, ids=["phone"])


# ------------------------------------------------------------------------------------------------ every page


@pytest.mark.parametrize("name", EVERY)
def test_a_page_is_sound(site: str, page: Page, name: str) -> None:
    """No error, no request that fails or leaves the site, nothing that makes the page scroll sideways; light."""
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda request: troubles.append(f"{request.url} failed: {request.failure}"))
    page.on(
        "response", lambda answer: troubles.append(f"{answer.url}: {answer.status}") if answer.status > 399 else None
    )
    page.on(
        "request", lambda request: None if request.url.startswith((site, "data:")) else troubles.append(request.url)
    )
    sizes = [size for address, size in loaded(page, f"{site}/{name}") if FIGURES not in address]
    assert_whole(page, troubles)
    assert sum(sizes) <= MOST_BYTES
    assert len(sizes) <= MOST_REQUESTS
    page.set_viewport_size(PHONE)
    open_whole(page, f"{site}/{name}")
    assert_whole(page, troubles)


def assert_whole(page: Page, troubles: list[str]) -> None:
    assert troubles == []
    broken = page.evaluate("[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)")
    assert broken == []
    wide = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1], f"{page.url} scrolls sideways: {wide[0]} px of content on {wide[1]} px"


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    "context", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True, ids=["light", "dark"]
)
def test_a_page_is_accessible(site: str, page: Page, name: str) -> None:
    page.goto(f"{site}/{name}", wait_until="networkidle")
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark" if dark else "light")
    # In the dark, only the colours are others.
    colours = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
    assert grave(page, colours if dark else {}) == []


def grave(page: Page, options: dict[str, Any]) -> list[str]:
    """What axe finds grave. Of words in code and of cells in tables, thousands a page, it sees one of each look."""
    page.evaluate("""() => {
        const looks = element => [element, element.parentElement].flatMap(each => {
            const style = getComputedStyle(each);
            return [each.tagName, style.color, style.backgroundColor, style.fontSize, style.fontWeight];
        }).join();
        const alike = selector => {
            const seen = new Set();
            // What axe passes over, hidden things and single signs, cannot stand for the others.
            const judged = element => element.checkVisibility() && element.innerText.trim().length > 1;
            return [...document.querySelectorAll(selector)].filter(element => {
                const look = looks(element);
                return !judged(element) || seen.has(look) || !seen.add(look);
            });
        };
        alike("pre a, pre span").forEach(word => word.replaceWith(...word.childNodes));
        alike("td:not(:has(*))").forEach(cell => cell.textContent = "");
    }""")
    return [
        f"{violation['id']} ({violation['impact']}): {violation['help']}: {node['target']} {node['html'][:160]}"
        for violation in Axe().run(page, options={"resultTypes": ["violations"]} | options).response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"][:5]
    ]


# ------------------------------------------------------------------------------------------------ search


def search(page: Page, start: str) -> None:
    """Search for a word from a page's own search button, follow the first result, find the word there."""
    page.goto(start)
    page.keyboard.press("Control+k")
    page.keyboard.type("hashed")
    page.keyboard.press("Enter")
    result = page.locator("#search-results li a").first
    expect(result).to_be_visible()
    expect(page.locator("#search-results")).to_contain_text("Hashed feature")
    page.locator("#search-results li a", has_text="Hashed feature").first.click()
    expect(page.locator("h1")).to_contain_text("Hashed feature")


def test_search_leads_to_what_it_finds(site: str, page: Page) -> None:
    search(page, f"{site}/book/index.html")


def test_search_works_from_a_folder_without_a_server(html: Path, page: Page) -> None:
    search(page, (html / "book/index.html").as_uri())


def test_what_is_not_there_is_not_found(site: str, page: Page) -> None:
    page.goto(f"{site}/search.html?q=xylophonequartz")
    expect(page.locator("#search-results")).to_contain_text("did not match any documents")


# ------------------------------------------------------------------------------------------------ themes, sidebar


def background(page: Page) -> str:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def test_the_dark_theme_is_chosen_and_stays(site: str, page: Page) -> None:
    page.goto(f"{site}/{NOTEBOOK}")
    light = background(page)
    switch = page.locator(".theme-switch-button:visible").first
    for _ in range(3):
        switch.click()
        if page.evaluate("document.documentElement.dataset.theme") == "dark":
            break
    assert background(page) != light
    dark = background(page)
    page.goto(f"{site}/book/index.html")
    assert background(page) == dark


@pytest.mark.parametrize("context", [{"color_scheme": "dark"}], indirect=True, ids=["dark"])
def test_who_has_not_chosen_gets_the_colours_of_the_system(site: str, page: Page) -> None:
    page.goto(f"{site}/book/index.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@at_phone_width
def test_the_sidebar_works_on_a_phone(site: str, page: Page) -> None:
    page.goto(f"{site}/book/index.html")
    link = page.locator("#pst-primary-sidebar a, #pst-primary-sidebar-modal a", has_text="Hashed feature")
    expect(link).not_to_be_in_viewport()
    page.locator(".primary-toggle:visible").first.click()
    expect(link).to_be_in_viewport()
    page.keyboard.press("Escape")
    # Closing moves the sidebar's content back to its place; no reader is quick enough to come before that.
    expect(page.locator("#pst-primary-sidebar a", has_text="Hashed feature")).to_be_attached()
    expect(link).not_to_be_in_viewport()
    page.locator(".primary-toggle:visible").first.click()
    link.click()
    expect(page.locator("h1")).to_contain_text("Hashed feature")


# ------------------------------------------------------------------------------------------------ on pages


def test_formulas_are_laid_out(html: Path, site: str, page: Page) -> None:
    name = next(name for name in LISTED if "<math" in (html / name).read_text("utf8"))
    page.goto(f"{site}/{name}", wait_until="networkidle")
    sizes = page.evaluate(
        "[...document.querySelectorAll('math')].map(m => m.getBoundingClientRect()).map(box => [box.width, box.height])"
    )
    assert sizes
    assert all(width > 2 and height > 5 for width, height in sizes)
    assert page.evaluate("[...document.fonts].some(f => f.family.includes('Math') && f.status === 'loaded')")


@pytest.mark.parametrize(
    "context", [{"permissions": ["clipboard-read", "clipboard-write"]}], indirect=True, ids=["allowed"]
)
def test_the_copy_button_copies_the_code(site: str, context: BrowserContext, page: Page) -> None:
    page.goto(f"{site}/{NOTEBOOK}", wait_until="networkidle")
    cell = page.locator("div.cell_input div.highlight").first
    cell.hover()
    cell.locator("button.copybtn").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == cell.locator("pre").inner_text().strip()


def test_the_evidence_sorts_by_mouse_and_keyboard(site: str, page: Page) -> None:
    page.goto(f"{site}/book/evidence.html")
    table = page.locator("table.mlcourse-sortable").first
    head = table.locator("th", has_text="Measured")

    def values() -> list[float]:
        cells = "rows => rows.map(row => Number(row.cells[2].dataset.value))"
        return table.locator("tbody tr").evaluate_all(cells)

    before = values()
    head.locator("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert values() == sorted(before)
    head.locator("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    assert values() == sorted(before, reverse=True)


def test_a_claim_of_the_evidence_leads_to_where_it_is_measured(site: str, page: Page) -> None:
    page.goto(f"{site}/book/evidence.html")
    link = page.locator("table.mlcourse-sortable tbody a").first
    words = link.inner_text()
    link.click()
    expect(page.locator(".mlcourse-claim:target")).to_contain_text(words)


def test_the_map_shows_the_reasons_of_the_pattern_in_hand(site: str, page: Page) -> None:
    """By mouse and by keyboard alike; Escape lets go, Enter opens the page."""
    page.goto(f"{site}/book/pattern_map.html")
    pattern, other = (
        page.locator(".mlcourse-map a[data-page]").nth(2),
        page.locator(".mlcourse-map a[data-page]").nth(4),
    )
    why = page.locator(".mlcourse-map-why")

    def told(node: Locator) -> list[str]:
        words = f".mlcourse-map-words li[data-page='{node.get_attribute('data-page')}'] > ul > li"
        return page.locator(words).all_inner_texts()

    pattern.hover()
    expect(why.locator("> ul > li")).to_have_text(told(pattern))
    expect(page.locator(".mlcourse-map path.is-near")).to_have_count(len(told(pattern)))
    page.keyboard.press("Escape")  # nothing has the focus: the mouse alone chose
    other.focus()
    expect(why.locator("> ul > li")).to_have_text(told(other))
    page.keyboard.press("Escape")
    expect(why).to_be_empty()
    expect(page.locator(".mlcourse-map .is-near")).to_have_count(0)
    page.keyboard.press("Shift+Tab")
    expect(why.locator("> p")).to_have_text(
        page.locator(".mlcourse-map a[data-page]").nth(3).locator("text").text_content()
    )
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape(page.url.split("/book/")[0]) + "/notebooks/"))


@pytest.mark.parametrize("context", [{"viewport": PHONE, "has_touch": True}], indirect=True, ids=["phone"])
def test_a_finger_sees_the_reasons_before_the_page(site: str, page: Page) -> None:
    page.goto(f"{site}/book/pattern_map.html")
    pattern, why = page.locator(".mlcourse-map a[data-page]").nth(2), page.locator(".mlcourse-map-why")
    expect(why).to_be_empty()
    pattern.tap()
    expect(why).to_be_visible()
    expect(why.locator("> p")).to_have_text(pattern.locator("text").text_content())
    expect(why).to_be_in_viewport()
    assert page.url.endswith("pattern_map.html")
    pattern.tap()
    expect(page).to_have_url(re.compile(r"/notebooks/"))


def test_a_worked_solution_opens_by_keyboard(site: str, page: Page) -> None:
    page.goto(f"{site}/{NOTEBOOK}")
    solution = page.locator(".cell.tag_hide-cell details").first
    code = solution.locator("pre").first
    expect(code).to_be_hidden()
    solution.locator("summary").press("Enter")
    expect(code).to_be_visible()


def test_a_page_can_be_downloaded_as_a_notebook(site: str, page: Page) -> None:
    page.goto(f"{site}/{NOTEBOOK}")
    address = page.locator("a.btn-download").evaluate("link => link.href")
    answer = page.request.get(address)
    assert answer.ok
    assert answer.body() == (ROOT / NOTEBOOK).with_suffix(".ipynb").read_bytes()


def test_names_in_code_lead_to_their_documentation(site: str, page: Page) -> None:
    page.goto(f"{site}/{NOTEBOOK}")
    links = page.locator("a.sphinx-codeautolink-a").evaluate_all("links => links.map(link => link.href)")
    assert any("numpy.org/doc/stable" in link for link in links)
    assert any("scikit-learn.org/stable" in link for link in links)


def test_the_first_address_leads_to_the_start_page(site: str, page: Page) -> None:
    page.goto(f"{site}/")
    page.wait_for_url(f"{site}/book/index.html")

"""The pattern map: its file is well-formed, says what the pages say, and becomes a picture and a list."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup
from course import ROOT

from mlcourse.runner.catalogue import CatalogueError, Page, load_catalogue, parts
from mlcourse.site.evidence import PageRecord
from mlcourse.site.pattern_map import LONGEST, SOURCE, pattern_map_page, read_pairs

PAGES = {page.id: page for page in load_catalogue(ROOT).pages}
PAIRS = read_pairs(ROOT / SOURCE, PAGES)
RECORDS = [PageRecord(page=id, title=page.title, claims=()) for id, page in PAGES.items()]


def linked_in_recap(page: Page) -> set[str]:
    """The pages that a page's Recap links."""
    prose = "\n\n".join(cell.source for cell in page.notebook.cells if cell.cell_type == "markdown")
    _, _, recap = prose.rpartition("\n## Recap\n")
    assert recap
    links = re.findall(r"\]\(([^)#]+)\.ipynb(?:#[^)]*)?\)", recap)
    folder = ROOT / "notebooks"
    return {(page.file.parent / link).resolve().relative_to(folder).as_posix() for link in links}


def test_every_pair_is_linked_in_the_recap_of_one_of_its_pages() -> None:
    recaps = {id: linked_in_recap(page) for id, page in PAGES.items()}
    lost = [pair for pair in PAIRS if pair.second not in recaps[pair.first] and pair.first not in recaps[pair.second]]
    assert lost == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_recap_is_a_pair(page: str) -> None:
    assert linked_in_recap(PAGES[page]) <= {pair.other(page) for pair in PAIRS if page in (pair.first, pair.second)}


@pytest.mark.parametrize("page", PAGES)
def test_every_page_combines_with_another(page: str) -> None:
    assert any(page in (pair.first, pair.second) for pair in PAIRS)


def test_every_reason_is_a_sentence_of_its_own() -> None:
    assert [pair for pair in PAIRS if not re.fullmatch(r"['A-Z].*[.?]", pair.why)] == []
    reasons = [pair.why for pair in PAIRS]
    assert sorted(set(reasons)) == sorted(reasons)


@pytest.fixture(scope="module")
def soup() -> BeautifulSoup:
    return BeautifulSoup(pattern_map_page(ROOT, RECORDS), "html.parser")


def test_the_picture_has_every_page_once_and_leads_to_it(soup: BeautifulSoup) -> None:
    nodes = soup.select("svg a")
    assert [node["data-page"] for node in nodes] == list(PAGES)
    for node in nodes:
        assert node["href"] == f"../notebooks/{node['data-page']}.html"
        assert node.find("text").get_text() == PAGES[node["data-page"]].title
        assert node["aria-label"].startswith(f"{PAGES[node['data-page']].title}. Combines with: ")


def test_the_picture_has_an_arc_for_every_pair(soup: BeautifulSoup) -> None:
    arcs = [tuple(path["data-pages"].split()) for path in soup.select("svg path")]
    assert sorted(arcs) == sorted((pair.first, pair.second) for pair in PAIRS)
    places = {node["data-page"]: node.find("circle") for node in soup.select("svg a")}
    for path in soup.select("svg path"):
        ends = {places[page]["cy"] for page in path["data-pages"].split()}
        x, top, bottom = re.fullmatch(r"M(\d+) (\d+)C\d+ \d+ \d+ \d+ \d+ (\d+)", path["d"]).groups()
        assert {top, bottom} == ends
        assert x == next(iter(places.values()))["cx"]


def test_names_fit_the_picture() -> None:
    """Left of the dots is room for so many letters; more would be cut."""
    assert [page.title for page in PAGES.values() if len(page.title) > 33] == []


def test_the_list_has_every_pair_below_both_pages(soup: BeautifulSoup) -> None:
    for page, item in ((item["data-page"], item) for item in soup.select(".mlcourse-map-words li[data-page]")):
        told = [(link["href"], link.parent.get_text()) for link in item.select(":scope ul a")]
        wanted = [pair for pair in PAIRS if page in (pair.first, pair.second)]
        assert [href for href, _ in told] == [f"../notebooks/{pair.other(page)}.html" for pair in wanted]
        assert all(text.endswith(pair.why) for (_, text), pair in zip(told, wanted, strict=True))


def test_the_parts_are_those_of_the_book() -> None:
    assert list(chain.from_iterable(parts(ROOT).values())) == list(PAGES)
    assert all(re.fullmatch(r"Part \d+ · .+", caption) for caption in parts(ROOT))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("a: {b: [", "cannot be read"),
        ("", "must map pages"),
        ("- a\n- b\n", "must map pages"),
        ({"a": "b"}, "must map pages"),
        ({"a": {"x": "They meet."}}, "a and x: there is no page x"),
        ({"x": {"a": "They meet."}}, "x and a: there is no page x"),
        ({"a": {"a": "It meets."}}, "does not combine with itself"),
        ({"a": {"b": "They meet."}, "b": {"a": "They meet."}}, "b and a are there twice"),
        ({"a": {"b": ""}}, "one phrase of at most"),
        ({"a": {"b": None}}, "one phrase of at most"),
        ({"a": {"b": "x" * (LONGEST + 1)}}, "one phrase of at most"),
        ({"a": {"b": "One.\nTwo."}}, "one phrase of at most"),
    ],
)
def test_a_file_that_is_wrong_is_said_in_one_line(tmp_path: Path, content: object, said: str) -> None:
    path = tmp_path / "map.yml"
    if content is not None:
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
    with pytest.raises(CatalogueError) as error:
        read_pairs(path, ["a", "b"])
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_letters_that_mean_something_in_html_are_shown_as_they_are(tmp_path: Path) -> None:
    for name, content in {
        "_toc.yml": {
            "parts": [{"caption": "Part 1 · A & B", "chapters": [{"file": "notebooks/a"}, {"file": "notebooks/b"}]}]
        },
        SOURCE: {"a": {"b": "1 < 2 & 3."}},
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(yaml.safe_dump(content))
    page = pattern_map_page(tmp_path, [PageRecord(page=id, title=f"<{id}>", claims=()) for id in "ab"])
    assert "1 &lt; 2 &amp; 3." in page
    assert "A &amp; B" in page
    assert "<a>" not in page

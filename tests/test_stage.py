"""The tree that Sphinx reads: executed pages, prose and generated pages."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import nbformat
import pytest
import yaml

from mlcourse.claims import CLAIM_MIME
from mlcourse.runner.catalogue import CatalogueError
from mlcourse.site.stage import (
    book_tree,
    check_toc,
    extract_figures,
    picture_size,
    site_address,
    staged_notebook,
    toc_files,
    write_tree,
)

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100"><path d="M0 0"/></svg>'
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big")
CLAIM = {"text": "It helps.", "measured": 2.0, "low": 1.0, "high": None, "unit": "", "holds": True}


def figure(content: bytes, kind: str = "svg+xml") -> str:
    data = base64.b64encode(content).decode()
    return f'<img class="mlcourse-figure" src="data:image/{kind};base64,{data}" alt="Two lines &amp; more" width="720">'


def html_output(content: str, **more: object) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("display_data", {"text/html": content, "text/plain": "plain", **more})


def executed(*outputs: nbformat.NotebookNode, tags: tuple[str, ...] = ()) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell("run()", outputs=list(outputs), execution_count=3, id="one")
    if tags:
        cell.metadata["tags"] = list(tags)
    cell.metadata["execution"] = {"iopub.status.busy": "2026-01-01T00:00:00Z"}
    title = nbformat.v4.new_markdown_cell("# A page\n\nYou will know what a page is.", id="title")
    return nbformat.v4.new_notebook(cells=[title, cell], metadata={"mlcourse": {"seconds": 1.5, "parameters": {}}})


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of one page and one prose page."""
    root = tmp_path / "course"
    for folder in ("book/_static/fonts", "book/_templates", "notebooks/1-part", "results", "data"):
        (root / folder).mkdir(parents=True)
    chapters = ["notebooks/1-part/page", "book/evidence", "book/status", "book/data"]
    toc = {"format": "jb-book", "root": "book/index", "parts": [{"chapters": [{"file": name} for name in chapters]}]}
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    (root / "_config.yml").write_text("title: A course\n")
    (root / "book/index.md").write_text("# A course\n")
    (root / "book/parameters.yml").write_text("{}\n")
    (root / "book/_static/mlcourse.css").write_text("p { color: red }\n")
    (root / "data/README.md").write_text("# Data\n")
    nbformat.write(executed(), root / "notebooks/1-part/page.ipynb")
    nbformat.write(executed(html_output(figure(SVG))), root / "results/page.ipynb")
    return root


def tree_of(root: Path, **more: object) -> dict[str, bytes]:
    return book_tree(root, {"1-part/page": root / "results/page.ipynb"}, **more)


def test_figures_become_files_that_browsers_load_when_they_come_into_view() -> None:
    content, files = extract_figures("notebooks/1-part/page", f"<p>{figure(SVG)}{figure(PNG, 'png')}</p>")
    assert sorted(files.values()) == sorted([SVG, PNG])
    for path in files:
        assert path.startswith("_static/figures/notebooks/1-part/page/")
        assert f'src="../../{path}"' in content
    assert content.count('loading="lazy"') == 2
    assert content.count('alt="Two lines &amp; more"') == 2
    # 720 wide as said; as high as the picture's shape makes it.
    assert 'width="720" height="360"' in content
    assert 'width="720" height="540"' in content
    assert "base64" not in content


@pytest.mark.parametrize(("picture", "size"), [(SVG, (200, 100)), (PNG, (640, 480)), (b"<svg></svg>", (0, 0))])
def test_the_size_of_a_picture_is_read_from_it(picture: bytes, size: tuple[int, int]) -> None:
    assert picture_size(picture) == size


def test_other_pictures_stay_where_they_are() -> None:
    content = '<img src="data:image/png;base64,AAAA" alt="x">'
    assert extract_figures("notebooks/page", content) == (content, {})


def test_a_page_that_ran_again_with_the_same_outputs_is_the_same_file() -> None:
    first, second = executed(html_output(figure(SVG))), executed(html_output(figure(SVG)))
    second.cells[1].execution_count = 99
    second.cells[1].metadata["execution"] = {"iopub.status.busy": "2027-01-01T00:00:00Z"}
    second.metadata["mlcourse"]["seconds"] = 77
    assert staged_notebook("notebooks/page", first) == staged_notebook("notebooks/page", second)


def test_a_staged_page_is_a_valid_notebook_with_html_outputs_alone() -> None:
    staged, _ = staged_notebook("notebooks/page", executed(html_output("<b>x</b>")))
    nbformat.validate(staged)
    assert staged.cells[1].outputs[0].data == {"text/html": "<b>x</b>"}


def test_claims_can_be_linked_to() -> None:
    outputs = [html_output('<div class="mlcourse-claim">✓</div>', **{CLAIM_MIME: CLAIM}) for _ in range(2)]
    staged, _ = staged_notebook("notebooks/page", executed(*outputs))
    shown = [output.data["text/html"] for output in staged.cells[1].outputs]
    assert [text.split(" class")[0] for text in shown] == ['<div id="claim-1"', '<div id="claim-2"']


def test_a_worked_solution_says_what_it_is_before_it_is_opened() -> None:
    staged, _ = staged_notebook("notebooks/page", executed(tags=("hide-cell",)))
    assert staged.cells[1].metadata["mystnb"]["code_prompt_show"] == "Show the worked solution"


def test_the_tree_is_a_whole_jupyter_book(course: Path) -> None:
    tree = tree_of(course)
    assert {"_toc.yml", "_config.yml", "book/index.md", "book/data.md", "book/evidence.md", "book/status.md"} <= set(
        tree
    )
    assert tree["_static/mlcourse.css"] == b"p { color: red }\n"
    assert "_templates/layout.html" in tree
    assert "book/parameters.yml" not in tree
    assert sum(path.startswith("_static/figures/notebooks/1-part/page/") for path in tree) == 1
    assert tree["book/data.md"] == b"# Data\n"


def test_the_download_is_the_page_as_committed(course: Path) -> None:
    assert (
        tree_of(course)["_static/notebooks/1-part/page.ipynb"] == (course / "notebooks/1-part/page.ipynb").read_bytes()
    )


def test_what_the_toc_and_the_files_do_not_share_is_named(course: Path) -> None:
    check_toc(course, ["1-part/page"])
    (course / "book/README.md").write_text("For those who work on the book.\n")
    check_toc(course, ["1-part/page"])
    with pytest.raises(CatalogueError, match="names notebooks/1-part/page, which does not exist"):
        check_toc(course, [])
    with pytest.raises(CatalogueError, match="does not name notebooks/1-part/other: add it, or remove the file"):
        check_toc(course, ["1-part/page", "1-part/other"])
    (course / "book/forgotten.md").write_text("# Forgotten\n")
    with pytest.raises(CatalogueError, match="does not name book/forgotten"):
        check_toc(course, ["1-part/page"])
    (course / "book/index.md").unlink()
    with pytest.raises(CatalogueError, match="names book/index, which does not exist"):
        check_toc(course, ["1-part/page"])


def test_the_toc_is_read_in_its_order_at_any_depth(course: Path) -> None:
    assert toc_files(course) == ["book/index", "notebooks/1-part/page", "book/evidence", "book/status", "book/data"]


def test_the_address_reaches_the_configuration(course: Path) -> None:
    config = yaml.safe_load(tree_of(course, address="Someone/course")["_config.yml"])["sphinx"]["config"]
    assert config["mlcourse_address"] == "Someone/course"
    assert config["html_baseurl"] == "https://someone.github.io/course/"


@pytest.mark.parametrize(
    ("address", "site"),
    [(None, ""), ("A/b", "https://a.github.io/b/"), ("A/a.github.io", "https://a.github.io/")],
)
def test_where_pages_are_published(address: str | None, site: str) -> None:
    assert site_address(address) == site


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    assert sorted(write_tree({"a/x": b"1", "b": b"2"}, folder)) == ["a/x", "b"]
    os.utime(folder / "b", (1, 1))
    assert sorted(write_tree({"a/x": b"other", "b": b"2"}, folder)) == ["a/x"]
    assert (folder / "b").stat().st_mtime == 1
    assert write_tree({"b": b"2"}, folder) == ["a/x"]
    assert not (folder / "a/x").exists()


def test_staging_twice_changes_nothing(course: Path, tmp_path: Path) -> None:
    write_tree(tree_of(course), tmp_path / "stage")
    assert write_tree(tree_of(course), tmp_path / "stage") == []
    json.loads((tmp_path / "stage/notebooks/1-part/page.ipynb").read_text("utf8"))

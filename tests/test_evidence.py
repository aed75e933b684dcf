"""The evidence and the status page: what the pages measured, gathered."""

from __future__ import annotations

from dataclasses import replace

import nbformat
from bs4 import BeautifulSoup

from mlcourse.claims import CLAIM_MIME, Claim
from mlcourse.site.evidence import PageRecord, evidence_page, status_page, versions

HOLDS = Claim("Hashing <is> small | fast.", 1234.5, 1000.0, None, "times", True)
BREAKS = Claim("It costs nothing.", 0.5, None, 0.1, "", False)
RECORD = PageRecord(
    page="1-part/page",
    title="Hashed & feature",
    claims=(HOLDS, BREAKS),
    seconds=12.345,
    peak_mb=812.4,
    warm=True,
    parameters={"ROWS": 5000, "NAMES": ["a"]},
)


def tables(page: str) -> list[BeautifulSoup]:
    return BeautifulSoup(page, "html.parser").find_all("table")


def test_every_claim_is_a_row_with_all_that_belongs_to_it() -> None:
    table = tables(evidence_page([RECORD]))[0]
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in table.tbody.find_all("tr")]
    assert rows[0] == [HOLDS.text, "Hashed & feature", "1,234 times", "at least 1,000 times", "holds", "12.3 s"]
    assert rows[1][4] == "does not hold"


def test_a_claim_links_to_its_place_on_its_page() -> None:
    links = [link["href"] for link in tables(evidence_page([RECORD]))[0].find_all("a")]
    assert links == ["../notebooks/1-part/page.html#claim-1", "../notebooks/1-part/page.html#claim-2"]


def test_numbers_sort_as_numbers() -> None:
    row = tables(evidence_page([RECORD]))[0].tbody.tr
    assert [cell.get("data-value") for cell in row.find_all("td")] == [None, None, "1234.5", None, None, "12.345"]


def test_the_settings_of_the_run_are_told() -> None:
    text = tables(evidence_page([RECORD]))[1].get_text(" ")
    assert "ROWS=5000" in text
    assert "NAMES=['a']" in text
    assert "defaults" in tables(evidence_page([replace(RECORD, parameters={})]))[1].get_text()


def test_how_many_claims_hold_is_counted() -> None:
    assert "1 of 2 claims hold" in " ".join(evidence_page([RECORD]).split())


def test_a_book_without_claims_has_an_evidence_page() -> None:
    assert "0 of 0 claims hold" in " ".join(evidence_page([]).split())


def test_the_record_is_read_from_an_executed_page() -> None:
    claim = {"text": "It helps.", "measured": 2.0, "low": 1.0, "high": None, "unit": "", "holds": True}
    output = nbformat.v4.new_output("display_data", {"text/html": "<div>", CLAIM_MIME: claim})
    cells = [
        nbformat.v4.new_markdown_cell("# The title\n\nWords."),
        nbformat.v4.new_code_cell("import numpy as np\nfrom sklearn.svm import SVC", outputs=[output]),
        nbformat.v4.new_markdown_cell("# not this one"),
    ]
    facts = {"seconds": 3.0, "peak_mb": 10.0, "warm": False, "parameters": {"SEED": 1}, "key": "k"}
    record = PageRecord.of("1-part/page", nbformat.v4.new_notebook(cells=cells, metadata={"mlcourse": facts}))
    assert record.title == "The title"
    assert record.claims == (Claim(**claim),)
    assert (record.seconds, record.peak_mb, record.warm, record.parameters) == (3.0, 10.0, False, {"SEED": 1})


def test_versions_are_those_of_the_packages_that_the_course_asks_for() -> None:
    import sklearn

    found = versions()
    assert found["scikit-learn"] == sklearn.__version__
    assert "tensorflow" in found
    assert not {"mlcourse", "threadpoolctl"} & set(found), "neither the course itself nor what others bring along"


def test_the_status_page_tells_time_memory_and_versions() -> None:
    pages, packages = tables(status_page([RECORD, replace(RECORD, seconds=None, peak_mb=None, warm=None)]))
    assert [cell.get_text() for cell in pages.tbody.tr.find_all("td")][1:] == ["12.3 s", "812 MB", "warm", "2"]
    assert pages.tbody.find_all("tr")[1].find_all("td")[1].get_text() == "–"
    assert "numpy" in packages.get_text()

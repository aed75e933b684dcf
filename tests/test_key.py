"""A page's key changes when what its result depends on changes, and only then."""

import shutil
from pathlib import Path

import pytest
from course import SEED, Course, code, words

from mlcourse.datasets import files
from mlcourse.runner import key
from mlcourse.runner.key import content_key, dependencies, meaning

KNOBS = code(SEED, "parameters")


@pytest.fixture
def package(tmp_path: Path, monkeypatch) -> Path:
    """A copy of the package that a test may change."""
    folder = tmp_path / "mlcourse"
    shutil.copytree(key.PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__", "site", "fonts"))
    monkeypatch.setattr(key, "PACKAGE", folder)
    data = folder / "datasets"
    (data / "__init__.py").write_text(
        '"""Data."""\nfrom mlcourse.datasets.files import DataError\n'
        "from mlcourse.datasets.mails import load_mails\nfrom mlcourse.datasets.flights import load_flights\n"
        '__all__ = ["DataError", "load_flights", "load_mails"]\n'
    )
    (data / "mails.py").write_text(
        'from mlcourse.datasets.files import data_path\ndef load_mails():\n    return data_path("spam_mail.parquet")\n'
    )
    (data / "flights.py").write_text("from . import files\ndef load_flights():\n    return 1\n")
    return folder


def names(source: str) -> set[str]:
    return {path.relative_to(key.PACKAGE).with_suffix("").as_posix() for path in dependencies(source)[0]}


def test_a_page_depends_on_the_modules_it_asks_for_and_on_theirs(package: Path) -> None:
    assert names("import numpy") == set()
    assert names("from mlcourse.claims import claim") == {"__init__", "claims"} - {"__init__"}
    assert "claims" in names("from mlcourse.exercises import exercise")
    assert "pretrained" in names("def f():\n    from mlcourse import pretrained")


def test_a_page_depends_on_the_module_of_its_data_and_not_on_the_others(package: Path) -> None:
    used = names("from mlcourse.datasets import load_mails")
    assert {"datasets/__init__", "datasets/mails", "datasets/files"} <= used
    assert "datasets/flights" not in used
    assert "datasets/files" in names("from mlcourse.datasets.flights import load_flights"), "relative imports count"
    for whole in ("from mlcourse import datasets", "import mlcourse.datasets", "from mlcourse.datasets import *"):
        assert {"datasets/mails", "datasets/flights"} <= names(whole)


def test_a_page_depends_on_the_files_that_its_modules_load(package: Path) -> None:
    cards = set(files.cards())
    assert dependencies("from mlcourse.datasets import load_mails")[1] & cards == {"spam_mail.parquet"}
    assert dependencies("from mlcourse.datasets import load_flights")[1] & cards == set()
    assert "weights/minilm_l6_v2_int8.onnx" in dependencies("from mlcourse.pretrained import load_sentence_encoder")[1]


def test_magics_do_not_confuse(package: Path) -> None:
    assert names("if True:\n    %pip install x\nfrom mlcourse.claims import claim") == {"claims"}
    goes_on = "x = (\n    1\n    % 2\n    != 3\n)\nfrom mlcourse.claims import claim"
    assert names(goes_on) == {"claims"}, "an operator at the head of a line is none"
    assert "datasets/flights" in names("x = !ls"), "what cannot be read depends on everything"


class TestKey:
    @pytest.fixture
    def page(self, course: Course):
        course.page("1-part/page", words("# Title"), KNOBS, "from mlcourse.datasets import load_mails", "print(1)")
        return course

    def key(self, course: Course, **parameters) -> str:
        return content_key(course.select()[0].notebook, parameters, course.root)

    def test_words_do_not_count(self, page: Course) -> None:
        before = self.key(page)
        page.page("1-part/page", KNOBS, words("# Else"), "from mlcourse.datasets import load_mails", "print(1)")
        assert self.key(page) == before

    def test_code_tags_parameters_and_lock_count(self, page: Course) -> None:
        keys = [self.key(page), self.key(page, SEED=1), self.key(page, SEED=2)]
        page.page("1-part/page", KNOBS, "from mlcourse.datasets import load_mails", "print(2)")
        keys.append(self.key(page))
        page.page("1-part/page", code(SEED), "from mlcourse.datasets import load_mails", "print(2)")
        keys.append(self.key(page))
        (page.root / "requirements.txt").write_text("numpy==3\n")
        keys.append(self.key(page))
        assert len(set(keys)) == len(keys)

    @pytest.mark.parametrize(
        ("module", "old", "new", "changes"),
        [
            ("datasets/mails.py", "def load_mails():", "def load_mails():  # a comment", False),
            ("datasets/mails.py", "def load_mails():", 'def load_mails():\n    """A docstring."""', False),
            ("datasets/mails.py", "return data_path", "return str(data_path", True),
            ("datasets/files.py", "1 <= rows", "2 <= rows", True),
            ("datasets/flights.py", "return 1", "return 2", False),
            ("datasets/__init__.py", "load_flights\n", "load_flights, other\n", False),
            ("datasets/__init__.py", '"""Data."""', "import os", True),
        ],
    )
    def test_what_the_modules_do_counts(self, page: Course, package: Path, module, old, new, changes) -> None:
        before = self.key(page)
        path = package / module
        text = path.read_text()
        assert old in text
        if "str(" in new:
            text = text.replace('parquet")', 'parquet"))')
        path.write_text(text.replace(old, new, 1))
        assert (self.key(page) != before) is changes

    def test_a_data_files_content_counts(self, page: Course, package: Path, tmp_path: Path, monkeypatch) -> None:
        data = tmp_path / "data"
        data.mkdir()
        monkeypatch.setattr(key, "data_folder", lambda: data)
        keys = {self.key(page)}
        for content in ("a", "bb"):
            (data / "spam_mail.parquet").write_text(content)
            keys.add(self.key(page))
        (data / "nyc_flights_60k.parquet").write_text("not of this page")
        keys.add(self.key(page))
        assert len(keys) == 3


def test_meaning_is_blind_to_words_only(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    meanings = []
    for text in (
        "def f():\n    return 1",
        '"""Doc."""\n\n\ndef f():\n    "Doc."\n    return 1  # c',
        "def f():\n    return 2",
    ):
        path.write_text(text)
        meanings.append(meaning(path))
    assert meanings[0] == meanings[1] != meanings[2]

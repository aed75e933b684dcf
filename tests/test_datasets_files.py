"""Data files and their cards belong together; a file that is not the card's is refused in one line."""

import hashlib
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from mlcourse.datasets import DataError, card, files

FILES = sorted(
    path.relative_to(files.data_folder()).as_posix()
    for path in files.data_folder().rglob("*")
    if path.is_file() and path.name != "README.md"
)


def test_every_file_has_a_card_and_every_card_a_file():
    assert sorted(files.cards()) == FILES


@pytest.mark.parametrize("file", FILES)
def test_a_card_is_complete_and_true(file):
    fields = card(file).fields
    wanted = {"What", "Size", "Source", "Licence", "Known flaws", "Sensitive attributes", "Used by", "sha256"}
    assert set(fields) == wanted
    assert all(fields.values())
    path = files.data_folder() / file
    assert hashlib.sha256(path.read_bytes()).hexdigest() == fields["sha256"].strip("`")
    if path.suffix == ".parquet":
        rows, columns = pd.read_parquet(path).shape
        assert fields["Size"] == f"{rows:,} rows x {columns} columns"


@pytest.mark.parametrize("file", FILES)
def test_a_card_names_the_pages_that_use_it(file):
    pages = list(Path(files.data_folder().parent, "notebooks").rglob("*.ipynb"))
    names = {path.stem for path in pages} | {f"{path.parent.name}/{path.stem}" for path in pages}
    users = set(re.findall(r"[\w/-]*\w", card(file).fields["Used by"]))
    assert users <= names


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder with one file in it, to spoil."""
    shutil.copy(files.data_folder() / "README.md", tmp_path)
    shutil.copy(files.data_folder() / "ames_housing.parquet", tmp_path)
    monkeypatch.setattr(files, "data_folder", lambda: tmp_path)
    files.data_path.cache_clear()
    yield tmp_path
    files.data_path.cache_clear()


def test_a_spoilt_file_is_refused(folder):
    assert files.data_path("ames_housing.parquet").is_file()
    files.data_path.cache_clear()
    with (folder / "ames_housing.parquet").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(DataError, match=r"^ames_housing.parquet is not the file its card describes: sha256 .+$"):
        files.data_path("ames_housing.parquet")


def test_a_missing_file_is_named(folder):
    with pytest.raises(DataError, match=r"reviews_20raters.parquet is missing"):
        files.data_path("reviews_20raters.parquet")


def test_an_unknown_file_is_named_with_those_there_are():
    with pytest.raises(DataError, match=r"there is no data file 'iris'; there are: .*ames_housing"):
        card("iris")


@pytest.mark.parametrize("rows", [0, -5, 4, 1.5, True, "3"])
def test_rows_out_of_range(rows):
    frame = pd.DataFrame({"a": [1, 2, 3]})
    with pytest.raises(DataError, match="from 1 to 3, or None for all"):
        files.take_rows(frame, rows, seed=0)

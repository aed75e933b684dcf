"""The attached files have the shares, the bytes and the truth that they promise."""

import pandas as pd
import pytest
from magika import Magika

from mlcourse.datasets import DataError, attach_files, load_spam_mail

PROGRAMS = {"Windows program", "Basic script", "batch script", "JavaScript"}


@pytest.fixture(scope="module")
def mails() -> pd.DataFrame:
    return load_spam_mail()


@pytest.fixture(scope="module")
def attached(mails) -> pd.DataFrame:
    return attach_files(mails, share=0.3, worms=0.1, seed=1)


def test_shares(mails, attached):
    wanted = mails["spam"] == 0
    assert attached.loc[wanted, "worm"].mean() == pytest.approx(0.1, abs=0.015)
    assert not attached.loc[~wanted, "worm"].any()
    assert attached.loc[~attached["worm"], "attachments"].mean() == pytest.approx(0.3, abs=0.02)
    assert attached.loc[attached["worm"], "attachments"].eq(1).all()
    files = attached["attachments"] == 1
    assert attached.loc[files & ~wanted, "hostile"].mean() == pytest.approx(0.5, abs=0.07)
    harmless = attached[files & wanted & ~attached["worm"]]
    assert harmless["kind"].isin(PROGRAMS).mean() == pytest.approx(0.1, abs=0.03)
    assert not harmless["hostile"].any()


def test_worms_are_spam_and_keep_their_text_and_header(mails, attached):
    assert attached["spam"].equals((mails["spam"].eq(1) | attached["worm"]).astype(mails["spam"].dtype))
    kept = mails.columns.drop(["attachments", "spam"])
    pd.testing.assert_frame_equal(attached[kept], mails[kept])


def test_hostile_files_are_programs_mostly_under_a_harmless_name(attached):
    hostile = attached[attached["hostile"]]
    assert set(hostile["kind"]) == PROGRAMS
    disguised = hostile["declared"].isin(
        ["application/pdf", "application/zip", "audio/x-wav", "image/png", "text/plain"]
    )
    assert disguised.mean() == pytest.approx(0.8, abs=0.06)


def test_without_a_file_there_is_nothing(attached):
    none = attached[attached["attachments"] == 0]
    assert none[["declared", "kind"]].eq("").all(axis=None)
    assert none["content"].eq(b"").all()
    assert attached.loc[attached["attachments"] == 1, "content"].str.len().min() > 300


def test_a_trained_model_names_the_kinds(attached):
    wanted = {
        "picture": "png",
        "document": "pdf",
        "archive": "zip",
        "patch": "diff",
        "note": "txt",
        "Windows program": "pebin",
        "Basic script": "vba",
        "batch script": "batch",
        "JavaScript": "javascript",
    }
    files = attached.loc[attached["attachments"] == 1, ["kind", "content"]].drop_duplicates()
    assert files.groupby("kind").size().to_dict() == dict.fromkeys(wanted, 12)
    magika = Magika()
    for kind, some in files.groupby("kind")["content"]:
        named = [magika.identify_bytes(content).output.label for content in some]
        assert named.count(wanted[kind]) >= 11, (kind, named)


def test_the_seed_draws_everything(mails):
    some = mails.head(300)
    pd.testing.assert_frame_equal(attach_files(some, seed=3), attach_files(some, seed=3))
    assert not attach_files(some, seed=3).equals(attach_files(some, seed=4))
    assert "worm" not in some


@pytest.mark.parametrize("wrong", [{"share": -0.1}, {"share": True}, {"worms": 1.5}, {"worms": "few"}])
def test_bad_input_is_one_clear_line(mails, wrong):
    with pytest.raises(DataError, match="must be a share from 0 to 1, not"):
        attach_files(mails, **wrong)

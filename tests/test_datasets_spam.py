"""The mails: what the loader promises."""

import pytest

from mlcourse.datasets import DataError, load_spam_mail


def test_texts_are_unique_and_no_mail_is_in_both_parts():
    mails = load_spam_mail()
    assert len(mails) == 5_606
    assert mails["text"].is_unique
    assert set(mails["part"]) == {"train", "test"}
    assert mails["hour"].dropna().between(0, 23).all()


def test_rows_are_drawn_by_seed():
    assert load_spam_mail(100, seed=1).equals(load_spam_mail(100, seed=1))
    assert not load_spam_mail(100, seed=1).equals(load_spam_mail(100, seed=2))
    with pytest.raises(DataError, match="from 1 to 5,606"):
        load_spam_mail(0)

"""Real mails, wanted and spam."""

from __future__ import annotations

import pandas as pd

from mlcourse.datasets.files import data_path, take_rows


def load_spam_mail(rows: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Mails of 2002 and 2003 with metadata, subject and text; the label is ``spam`` (0 or 1).

    Mails whose text occurs twice are dropped, all but the first: 5,606 are left. Which part a mail
    belongs to is in ``part``: the corpus was collected in folders, one after the other, and ``train`` holds
    the first folder of wanted mail and of spam, ``test`` the second ones and the wanted mail that
    resembles spam.

    Parameters
    ----------
    rows
        How many mails, drawn without replacement; ``None`` for all.
    seed
        Seed of that draw.

    Returns
    -------
    pandas.DataFrame
        One row a mail: ``subject``, ``text`` (at most 1,500 characters), ``size`` (bytes), ``hour`` (0 to 23 in
        the sender's clock, missing where the date cannot be read), ``content_type``, ``mailer`` (the program that
        sent it, empty where unknown), ``attachments``, ``parts``, ``recipients``, ``servers`` (how many handed it
        on), ``html``, ``mailing_list``, ``reply`` (each 0 or 1), ``part``, ``spam``.

    Raises
    ------
    mlcourse.datasets.DataError
        If the file is not the one its card describes, or ``rows`` is out of range.
    """
    mails = pd.read_parquet(data_path("spam_mail.parquet")).drop_duplicates("text", ignore_index=True)
    mails = mails.rename(
        columns={
            "ctype": "content_type",
            "x_mailer": "mailer",
            "n_att": "attachments",
            "n_parts": "parts",
            "n_rcpt": "recipients",
            "n_received": "servers",
            "has_html": "html",
            "has_list_id": "mailing_list",
            "in_reply_to": "reply",
            "y": "spam",
        }
    )
    mails["part"] = mails.pop("src").map(lambda folder: "train" if folder in ("easy-ham-1", "spam-1") else "test")
    mails["mailer"] = mails["mailer"].fillna("")
    mails["subject"] = mails["subject"].fillna("")
    return take_rows(mails, rows, seed)

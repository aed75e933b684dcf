"""Descriptions of Debian's programs with the topics that volunteers gave them."""

from __future__ import annotations

import pandas as pd

from mlcourse.datasets.files import data_path, take_rows

# The topics, and the tags of Debian that they stand for.
PROGRAM_TOPICS = {
    "client": "network::client",
    "server": "network::server",
    "converting": "use::converting",
    "editing": "use::editing",
    "games": "use::gameplaying",
    "monitoring": "use::monitor",
    "viewing": "use::viewing",
    "audio": "works-with::audio",
    "databases": "works-with::db",
    "images": "works-with::image",
    "mail": "works-with::mail",
    "texts": "works-with::text",
}


def load_debian_programs(rows: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Descriptions of programs in Debian, each with one or more of twelve topics.

    Programs whose description occurs twice are dropped, all but the first: 4,235 are left.

    Parameters
    ----------
    rows
        How many programs, drawn without replacement; ``None`` for all.
    seed
        Seed of that draw.

    Returns
    -------
    pandas.DataFrame
        One row a program: ``program`` (the package's name), ``family`` (the name up to its first hyphen: packages of
        one family resemble each other, so split by it), ``description`` (English, at most 1,500 characters), and a
        column of 0 and 1 for each of :data:`PROGRAM_TOPICS`.

    Raises
    ------
    mlcourse.datasets.DataError
        If the file is not the one its card describes, or ``rows`` is out of range.
    """
    raw = pd.read_parquet(data_path("debtags_multilabel.parquet")).drop_duplicates("text", ignore_index=True)
    tags = raw["labels"].str.get_dummies(" ")
    programs = pd.DataFrame(
        {
            "program": raw["pkg"],
            "family": raw["pkg"].str.split("-").str[0],
            "description": raw["text"].str[:1_500],
            **{topic: tags[tag].astype("int8") for topic, tag in PROGRAM_TOPICS.items()},
        }
    )
    return take_rows(programs, rows, seed)

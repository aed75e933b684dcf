"""Loans of Lending Club, repaid or not."""

from __future__ import annotations

import pandas as pd

from mlcourse.datasets.files import data_path, take_rows


def load_lending_club(rows: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Loans that strangers gave each other through Lending Club: one row a loan, ``bad`` is the label (0 or 1).

    Amounts, balances and incomes are in dollars, ``int_rate``, ``revol_util`` and ``all_util`` in per cent. The
    interest rate and ``sub_grade`` (``A1`` the safest to ``G5``) are the lender's own judgement of the risk.

    Parameters
    ----------
    rows
        How many loans to draw without replacement, or None for all 9,857.
    seed
        Draws them.

    Returns
    -------
    pandas.DataFrame
        ``rows`` x 23, without missing values: 17 numbers, 5 texts (``term``, ``sub_grade``, ``addr_state``,
        ``verification_status``, ``emp_length``), and ``bad``, 1 for the 517 loans that were not repaid as agreed.

    Raises
    ------
    DataError
        If ``rows`` is not a whole number from 1 to 9,857, or the file is not the one its card describes.
    """
    loans = pd.read_parquet(data_path("lending_club.parquet"))
    loans["bad"] = (loans.pop("Class") == "bad").astype("int8")
    return take_rows(loans, rows, seed)

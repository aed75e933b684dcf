"""Customers of a telephone company, gone or still there."""

from __future__ import annotations

import pandas as pd

from mlcourse.datasets.files import data_path, take_rows


def load_telco_churn(rows: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Customers of a fictional telephone company: one row a customer, ``churn`` is the label (0 or 1).

    ``tenure`` counts the months that a customer has been there, ``monthly_charges`` and ``total_charges`` are in
    dollars. Eleven customers in their first month have not been charged yet; their ``total_charges`` are 0 here and
    missing in the file.

    Parameters
    ----------
    rows
        How many customers to draw without replacement, or None for all 7,043.
    seed
        Draws them.

    Returns
    -------
    pandas.DataFrame
        ``rows`` x 20, without missing values: 3 numbers, 6 facts (0 or 1), 10 texts (contract, payment, services), and
        ``churn``, 1 for the 1,869 customers who left.

    Raises
    ------
    DataError
        If ``rows`` is not a whole number from 1 to 7,043, or the file is not the one its card describes.
    """
    customers = pd.read_parquet(data_path("churn_telco.parquet")).fillna({"total_charges": 0.0})
    customers["churn"] = (customers["churn"] == "Yes").astype("int8")
    return take_rows(customers, rows, seed)

"""The course's data: real files with their cards, and simulators whose truth is known."""

from mlcourse.datasets.files import Card, DataError, card

__all__ = ["Card", "DataError", "card"]

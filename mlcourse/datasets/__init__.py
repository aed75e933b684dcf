"""The course's data: real files with their cards, and simulators whose truth is known."""

from mlcourse.datasets.files import Card, DataError, card
from mlcourse.datasets.spam import load_spam_mail

__all__ = ["Card", "DataError", "card", "load_spam_mail"]

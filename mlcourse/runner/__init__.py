"""The machinery that executes pages: which there are, when a result is still good, and how one is made."""

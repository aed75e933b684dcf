"""Executed pages and prose become the published book: staged, rendered, audited."""

"""A page's parameters, checked in one call, with one clear line when a value is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any


class ParameterError(ValueError):
    """A parameter of a page has a value that the page cannot work with."""

    def _render_traceback_(self) -> list[str]:
        return [f"ParameterError: {self}"]


@dataclass(frozen=True)
class Rule:
    """What a parameter may be, in words and as a test."""

    allowed: str

    def accepts(self, value: Any) -> bool:
        raise NotImplementedError


@dataclass(frozen=True)
class _Range(Rule):
    kind: type
    low: float
    high: float

    def accepts(self, value: Any) -> bool:
        return isinstance(value, self.kind) and not isinstance(value, bool) and self.low <= value <= self.high


@dataclass(frozen=True)
class _OneOf(Rule):
    values: tuple[Any, ...]

    def accepts(self, value: Any) -> bool:
        return any(type(value) is type(allowed) and value == allowed for allowed in self.values)


@dataclass(frozen=True)
class _Each(Rule):
    rule: Rule
    at_least: int

    def accepts(self, value: Any) -> bool:
        return isinstance(value, list | tuple) and len(value) >= self.at_least and all(map(self.rule.accepts, value))


@dataclass(frozen=True)
class _Spark(Rule):
    def accepts(self, value: Any) -> bool:
        pattern = r"|local|local\[([1-9]\d*|\*)\]|spark://[^\s:,]+:\d{1,5}"
        return isinstance(value, str) and re.fullmatch(pattern, value) is not None


@dataclass(frozen=True)
class _Cluster(Rule):
    def accepts(self, value: Any) -> bool:
        if value == "":
            return True
        try:
            config = json.loads(value)
            workers, task = config["cluster"]["worker"], config["task"]
            kind, index = task["type"], task["index"]
        except (TypeError, ValueError, KeyError):
            return False
        addresses = isinstance(workers, list) and all(
            isinstance(address, str) and re.fullmatch(r"\S+:\d{1,5}", address) for address in workers
        )
        member = isinstance(index, int) and not isinstance(index, bool) and addresses and 0 <= index < len(workers)
        return bool(member) and kind == "worker" and len(set(workers)) == len(workers)


def whole(low: int, high: int) -> Rule:
    """A whole number from ``low`` to ``high``, both included."""
    return _Range(f"a whole number from {low:,} to {high:,}", Integral, low, high)


def real(low: float, high: float) -> Rule:
    """A number from ``low`` to ``high``, both included."""
    return _Range(f"a number from {low:,} to {high:,}", Real, low, high)


def one_of(*values: Any) -> Rule:
    """One of the listed values, of the same type."""
    return _OneOf("one of " + ", ".join(map(repr, values)), values)


def each(rule: Rule, at_least: int = 1) -> Rule:
    """A list of at least ``at_least`` values, each of which ``rule`` accepts."""
    return _Each(f"a list of {at_least} or more, each {rule.allowed}", rule, at_least)


def cluster() -> Rule:
    """Nothing, or what TensorFlow's variable TF_CONFIG says: the workers of a cluster, and which of them this is."""
    example = '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}'
    return _Cluster(f"empty, or JSON that names different workers and which of them this one is, such as {example}")


def spark() -> Rule:
    """Nothing, or the master of a Spark: threads of this machine, or a cluster's address."""
    return _Spark("empty, or a Spark's master: local[2], or an address such as spark://10.0.0.1:7077")


def check_parameters(namespace: Mapping[str, Any], **rules: Rule) -> None:
    """Check the parameters of a page: ``check_parameters(globals(), SEED=whole(0, 9_999), ...)``.

    Raises
    ------
    ParameterError
        One line that names the parameter, its value and what is allowed, for the first wrong one.
    """
    for name, rule in rules.items():
        if name not in namespace:
            raise ParameterError(f"{name} is not set; it must be {rule.allowed}")
        if not rule.accepts(namespace[name]):
            raise ParameterError(f"{name} must be {rule.allowed}, not {namespace[name]!r}")

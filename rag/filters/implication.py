"""Whether one filter says already what another one says."""

from __future__ import annotations

from rag.filters.facts import Scalar, typed
from rag.filters.language import And, Compare, Contains, Filter, Nothing, OneOf, Or, matches


def implies(given: Filter | None, wanted: Filter | None) -> bool:
    """Whether every record that matches ``given`` matches ``wanted``, as far as their forms show.

    Never true where it is not so; false for some pairs whose forms hide it (two bounds
    that leave one value, say).
    """
    if wanted is None or isinstance(given, Nothing):
        return True
    if given is None or isinstance(wanted, Nothing):
        return False
    if isinstance(wanted, And):
        return all(implies(given, part) for part in wanted.parts)
    if isinstance(given, Or):
        return all(implies(part, wanted) for part in given.parts)
    if isinstance(given, And):
        return any(implies(part, wanted) for part in given.parts)
    if isinstance(wanted, Or):
        return any(implies(given, part) for part in wanted.parts)
    return given.key == wanted.key and _condition_implies(given, wanted)


def _condition_implies(given: Compare | OneOf | Contains, wanted: Compare | OneOf | Contains) -> bool:
    if isinstance(given, Contains) or isinstance(wanted, Contains):
        return given == wanted
    allowed = _values(given, negated=False)
    if allowed:
        return all(matches(wanted, {wanted.key: value}) for value in allowed)
    refused = _values(wanted, negated=True)
    if refused:
        left_out = {typed(value) for value in _values(given, negated=True)}
        if left_out:
            return {typed(value) for value in refused} <= left_out
        return not any(matches(given, {given.key: value}) for value in refused)  # a range
    return isinstance(given, Compare) and isinstance(wanted, Compare) and _is_within(given, wanted)


def _values(condition: Compare | OneOf, *, negated: bool) -> tuple[Scalar, ...]:
    """The values that a condition allows, or with ``negated`` refuses; () where it lists none."""
    if isinstance(condition, OneOf):
        return condition.values if condition.negated == negated else ()
    return (condition.value,) if condition.op == ("$ne" if negated else "$eq") else ()


def _is_within(given: Compare, wanted: Compare) -> bool:
    """For two ranges: whether the first lies in the second."""
    a, b = given.value, wanted.value
    if given.op[:3] != wanted.op[:3] or not isinstance(a, float) or not isinstance(b, float):
        return False
    if given.op[:3] == "$lt":
        a, b = -a, -b
    return a > b or (a == b and not (given.op.endswith("e") and not wanted.op.endswith("e")))

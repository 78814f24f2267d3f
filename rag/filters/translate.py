"""A filter as Chroma's ``where`` and as a Tantivy query, over stored facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rag.filters.facts import chroma_key, fact_term, key_hash
from rag.filters.language import And, Compare, Contains, Filter, Nothing, OneOf, Or


def to_chroma(filter: Filter) -> dict[str, Any]:
    """The filter as Chroma's ``where``, over metadata stored under :func:`chroma_key`."""
    match filter:
        case Nothing():
            return {"_nothing": True}
        case And(parts):
            return {"$and": [to_chroma(part) for part in parts]}
        case Or(parts):
            return {"$or": [to_chroma(part) for part in parts]}
        case Contains(key, value):
            return {chroma_key(key): {"$contains": value}}
        case Compare(key, op, value):
            return {chroma_key(key): {op: value}}
        case OneOf(key, values, negated):
            # Chroma takes lists of one type only, so there is one list for each type.
            lists = [[value for value in values if type(value) is kind] for kind in (str, float, bool)]
            name = "$nin" if negated else "$in"
            wheres = [{chroma_key(key): {name: same}} for same in lists if same]
            return wheres[0] if len(wheres) == 1 else {"$and" if negated else "$or": wheres}


def to_tantivy(filter: Filter, index: Any, field: str = "facts") -> Any:
    """The filter as a Tantivy query over a raw text field that holds :func:`fact_terms`.

    ``index`` is the ``tantivy.Index`` that will be searched.
    """
    import tantivy

    query, schema = tantivy.Query, index.schema
    must, must_not, should = tantivy.Occur.Must, tantivy.Occur.MustNot, tantivy.Occur.Should

    def any_of(terms: Sequence[str], negated: bool = False) -> Any:
        found = query.term_set_query(schema, field, list(terms))
        return query.boolean_query([(must, query.all_query()), (must_not, found)]) if negated else found

    def translate(filter: Filter) -> Any:
        match filter:
            case Nothing():
                return query.empty_query()
            case And(parts):
                return query.boolean_query([(must, translate(part)) for part in parts])
            case Or(parts):
                return query.boolean_query([(should, translate(part)) for part in parts])
            case Contains(key, value):
                return any_of([fact_term(key, value, kind="l")])
            case OneOf(key, values, negated):
                return any_of([fact_term(key, value) for value in values], negated)
            case Compare(key, ("$eq" | "$ne") as op, value):
                return any_of([fact_term(key, value)], op == "$ne")
            case Compare(key, op, value):
                # No constructor takes a range of text. The terms hold only letters and digits,
                # so they cannot be read as anything else; "n" marks numbers, "o" comes after.
                term, head = fact_term(key, value), key_hash(key)
                ends = {
                    "$gt": f"{{{term} TO {head}o}}",
                    "$gte": f"[{term} TO {head}o}}",
                    "$lt": f"{{{head}n TO {term}}}",
                    "$lte": f"{{{head}n TO {term}]",
                }
                return index.parse_query(f"{field}:{ends[op]}", [])

    return translate(filter)

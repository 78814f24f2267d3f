"""Countries: their other names, and the adjectives that go with them.

The adjectives are those of English usage. A country is looked up by any of its names, so
a catalogue may write USA or United States.
"""

from __future__ import annotations

_TABLE = """
albania | albanian
algeria | algerian
argentina | argentine, argentinian, argentinean
armenia | armenian
australia | australian, aussie
austria | austrian
azerbaijan | azerbaijani
belgium | belgian
bolivia | bolivian
bosnia, bosnia and herzegovina | bosnian
brazil | brazilian
bulgaria | bulgarian
canada | canadian
chile | chilean
china | chinese
colombia | colombian
croatia | croatian
cuba | cuban
cyprus | cypriot
czechia, czech republic | czech
denmark | danish
egypt | egyptian
england | english
estonia | estonian
ethiopia | ethiopian
finland | finnish
france | french
georgia | georgian
germany | german
ghana | ghanaian
greece | greek, hellenic
hungary | hungarian
iceland | icelandic
india | indian
indonesia | indonesian
iran | iranian
iraq | iraqi
ireland | irish
israel | israeli
italy | italian
jamaica | jamaican
japan | japanese
jordan | jordanian
kenya | kenyan
latvia | latvian
lebanon | lebanese
lithuania | lithuanian
luxembourg | luxembourgish
malaysia | malaysian
malta | maltese
mexico | mexican
moldova | moldovan
montenegro | montenegrin
morocco | moroccan
netherlands, the netherlands, holland | dutch
new zealand | kiwi
nigeria | nigerian
north macedonia, macedonia | macedonian
norway | norwegian
pakistan | pakistani
peru | peruvian
philippines, the philippines | filipino
poland | polish
portugal | portuguese
romania | romanian
russia | russian
scotland | scottish
serbia | serbian
singapore | singaporean
slovakia | slovak, slovakian
slovenia | slovenian, slovene
south africa | south african
south korea, korea | korean, south korean
spain | spanish
sweden | swedish
switzerland | swiss
syria | syrian
taiwan | taiwanese
thailand | thai
tunisia | tunisian
turkey, turkiye | turkish
ukraine | ukrainian
united kingdom, great britain, britain, UK | british
united states, united states of america, USA, US, america | american
uruguay | uruguayan
vietnam | vietnamese
wales | welsh
"""
_ROWS = [tuple(part.strip().split(", ") for part in row.split("|")) for row in _TABLE.strip().splitlines()]
_GROUP = {name.lower(): row for row in _ROWS for name in row[0]}

AMBIGUOUS = frozenset({"turkey", "china", "chile", "georgia", "jordan", "us", "uk"})
"""Names that are other words too: a bird, a cup, a pepper, a state, a river, a pronoun."""


def is_place(name: str) -> bool:
    """Whether a value, in lower case without accents, is a country of the table."""
    return name in _GROUP


def other_names(name: str) -> list[str]:
    """The other names of the country; those in capitals count only in capitals."""
    return [other for other in _GROUP[name][0] if other.lower() != name]


def adjectives(name: str) -> list[str]:
    """The country's adjectives: ``portugal`` gives ``portuguese``."""
    return list(_GROUP[name][1])

"""Irregular English forms, so that "ground" and "grind" are one word."""

from __future__ import annotations

_TABLE = """
    begin began begun|bind bound|bite bit bitten|bleed bled|blow blew blown|break broke broken|breed bred
    bring brought|build built|burn burnt|buy bought|catch caught|child children|choose chose chosen
    come came|deal dealt|dig dug|draw drew drawn|drink drank drunk|drive drove driven|eat ate eaten
    fall fell fallen|feed fed|feel felt|fight fought|find found|fly flew flown flight|foot feet
    forget forgot forgotten|freeze freezes froze frozen|get got|give gave given gift|go goes went gone
    grind ground|grow grew grown growth|hang hung|hear heard|hold held|keep kept|know knew known
    lay laid|lead led|leave left|lend lent|lie lay lain|lose lost loss|make made|man men|mean meant
    meet met|mouse mice|pay paid|person people|ride rode ridden|ring rang rung|rise rose risen|run ran
    say said|see saw seen|seek sought|sell sells sold sale sales|send sent|shake shook shaken
    shine shone|shoot shot|shrink shrank shrunk|sing sang sung|sink sank sunk|sit sat|sleep slept
    slide slid|speak spoke spoken speech|spend spent|stand stood|steal stole stolen|stick stuck
    strike struck|swim swam swum|take took taken|teach taught|tear tore torn|tell told|think thought
    throw threw thrown|tooth teeth|wear wore worn|win won|wind wound|woman women|write wrote written
    use uses used using user|die dies died death dead|live lives lived alive
"""

_FORMS: dict[str, frozenset[str]] = {}
for _group in _TABLE.strip().replace("\n", "|").split("|"):
    _words = frozenset(_group.split())
    for _word in _words:
        _FORMS[_word] = _FORMS.get(_word, frozenset()) | _words


def irregular_forms(word: str) -> frozenset[str]:
    """The other forms of a word in the table."""
    return _FORMS.get(word, frozenset())


def irregular(a: str, b: str) -> bool:
    """Whether two words, in lower case, are forms of one in the table."""
    return b in _FORMS.get(a, ())

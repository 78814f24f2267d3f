"""The words that turn a claim around: tables for :mod:`rag.cite.polarity`.

English, in lower case; a phrase is joined by hyphens. In a table of kinds
or opposites, one line is one set, its sides parted by a bar.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _sets(text: str) -> tuple[tuple[frozenset[str], ...], ...]:
    """A set begins at a line that is not indented further than the first."""
    lines = re.sub(r"\n\s{8,}", " ", text).strip().splitlines()
    return tuple(tuple(_words(side) for side in line.split("|")) for line in lines)


NEGATORS = _words("""
    not no never none nobody nothing neither nor without cannot can't don't doesn't didn't isn't aren't
    wasn't weren't won't wouldn't shouldn't couldn't mustn't hasn't haven't hadn't needn't nowhere hardly
    scarcely rarely seldom unlike except
""")

NEGATIVE = _words("""
    forbidden prohibited banned refuse refused refuses reject rejected rejects deny denied denies exclude
    excluded excludes excluding ineligible impossible unable lack lacks lacked lacking absent absence fail
    fails failed failing avoid avoids avoided stop stops stopped ceased cease ceases unnecessary optional
    exempt waived free prevent prevents prevented disallowed invalid void illegal unlawful missing empty
    incomplete inactive invisible inaccessible incapable insufficient inedible ineffective drops dropped
    barred unavailable unlimited uninsured unpaid unknown unchanged unaffected unaware unlikely unclear
    incorrect false untrue neglected omitted omits withheld lost nil zero instead rather wrong poor poorly
    bad badly quits unsuitable unhurt unharmed spared hardly
""")
"""Words that negate by their meaning: they answer a negator on the other side."""

REVERSING = _words("""
    contrary believed assumed thought supposed formerly previously until before instead unless expired
    closed beyond
""")
"""Words by which a sentence may speak of what is not so."""

BELIEF = _words("contrary believed assumed thought supposed formerly previously")
"""Words by which a claim says what was wrongly held to be so."""

TRANSPARENT = _words("""
    allowed able permitted possible required obliged necessary has-to have-to need needs used going
    been being get gets got must may can could
""")
"""Words between a negator and the verb that it negates."""

PROHIBITING = _words("""
    forbidden prohibited banned barred disallowed illegal unlawful
""")
PERMISSIVE = _words("may can allowed permitted legal lawful")

TIMES_OF_YEAR = _words("""
    year years month months week weeks day days hour hours spring summer autumn winter morning evening
    night weekday weekend time
""")
"""What "every" may govern without a word about the rest of the sentence."""

UNIVERSAL = _words("all every each always everyone everybody everything invariably")
MAJORITY = _words("most mostly majority usually generally typically normally")
EXCLUSIVE = _words("only solely exclusively")

KINDS = _sets("""
    all every each always everyone everybody everything | some several few sometimes certain
        occasionally partly partially a-few minority | most mostly majority usually often generally
        typically normally
    always invariably | usually generally normally typically mostly | sometimes occasionally | rarely
        seldom hardly scarcely | never
    many numerous often frequently | few a-few rarely seldom hardly scarcely
    must provided required requires require mandatory compulsory obliged obligatory has-to have-to need
        needs | may can could might optional optionally allowed
    only solely exclusively just | also including too additionally as-well besides
    at-least minimum | at-most maximum up-to
    more over above exceeds exceed exceeding greater higher larger bigger | less fewer under below lower
        smaller
    until | since
""")
"""Quantifiers, modal verbs and comparisons: sides that exclude each other."""

COMPARING = next(kind for kind in KINDS if "fewer" in kind[1])

OPPOSITES = _sets("""
    increase increases increased increasing rise rises rose risen rising grow grows grew grown growing
        gain gains gained | decrease decreases decreased decreasing fall falls fell fallen falling drop drops
        dropped shrink shrank decline declines declined reduce reduced reduces
    first earliest oldest | last latest youngest newest final
    open opens opened opening | close closes closed closing
    accept accepts accepted | reject rejects rejected refuse refused
    include includes included | exclude excludes excluded
    allow allows allowed permitted permit permits | forbid forbids forbidden prohibited prohibit prohibits
        banned ban bans
    with | without
    begin begins began beginning start starts started | end ends ended finish finished stop stopped
    longer longest | shorter shortest
    many | few
    common frequent usual | rare uncommon unusual
    thick thicker | thin thinner
    always | never
    import imports imported | export exports exported
    north northern | south southern
    east eastern | west western
    left | right
    win wins won gain gains gained | lose loses lost
    early | late
    public | private confidential secret
    continue continues continued | stop stops stopped end ends ended cease ceases
    taxable taxed | tax-free untaxed
    dangerous harmful | harmless safe
    hot warm warmer | cold cool cooler
    dry | sweet wet
    high | low
    larger largest bigger biggest greater greatest | smaller smallest least
    higher highest | lower lowest
    male men man | female women woman
    upper | lower
    same | different
    employee employees | employer employers
    seller sellers | buyer buyers
    lender lenders | borrower borrowers
    doctor doctors | patient patients
    married | unmarried single
    free | paid chargeable
    easy easier | hard harder difficult
    strong stronger | weak weaker
    full | empty partial
    young younger | old older
    indoors inside indoor | outdoors outside outdoor
    temporary | permanent
    success successful | failure unsuccessful
    online | in-person offline
    minimum | maximum
    rich | poor
    day daily | night
    weekly | monthly | yearly annual annually | daily | quarterly
    best | worst
    above | below
    gross | net
    red | white | blue | green | black | yellow
    heavier heavy | lighter light
    faster fastest fast quick quicker quickly | slower slowest slow slowly
    rightly correctly | wrongly mistakenly incorrectly
    loved liked | hated disliked
    attack attacked | defend defended
    parent parents | child children
    teacher teachers | student students pupil pupils
    landlord landlords | tenant tenants
    winter | summer | spring | autumn
    morning | evening | afternoon
""")

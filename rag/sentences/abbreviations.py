"""The words that :mod:`rag.sentences.stops` knows: what a full stop behind them means.

All are in lower case and without their last full stop: the usual ones of English reference
text, with the commonest of German, French, Spanish and Italian. A word that is missing
costs one sentence cut in two, and nothing else.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEVER_END = _words("""
    mr mrs ms messrs dr prof st sts mt rev fr hon gen lt maj capt cpt cmdr sgt cpl pvt adm brig gov
    sen rep reps sens pres supt insp atty
    e.g i.e eg ie cf viz vs v approx ca circa dept assn assoc govt natl intl publ
    hr hrn dipl ing geb gest bzw z.b d.h u.a sog mio mrd bspw ggf evtl vgl
    sra srta dra ee ud uds p.ej ej núm mme mlle sig dott
""")
"""Something always follows: a name, an example."""

MAY_END = _words("""
    inc ltd co corp llc plc bros jr sr esq etc al ibid lit trans esp ed eds resp incl excl abbr pron
    ph.d m.d b.a m.a b.sc m.sc b.s m.s d.phil ll.b ll.m ave blvd rd hwy usw etw z.t mm col
""")
"""These end a sentence only where the next word is one of ``STARTERS``."""

BEFORE_NUMBER = _words("""
    no nos nr num fig figs eq eqs vol vols p pp pg pgs ch chap sec sect art arts para par pt pts
    app bk ser ver op ll ff fl abs bd kap str tel ext room rm apt ste
    jan feb mar apr jun jul aug sep sept oct nov dec
""")
"""These do not end a sentence where a number follows."""

MONTHS = _words("""
    januar jänner februar märz april mai juni juli august september oktober november dezember
    jahrhundert jahrhunderts jh
""")
"""After these no ordinal ends a sentence ("3. Oktober")."""

AFTER_NOON = _words("""
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun
    january february march april may june july august september october november december
    est edt et pst pdt pt cst cdt mst gmt utc bst cet cest eastern pacific central mountain greenwich
""")
"""What goes on with a time of day that ends in "a.m." or "p.m."."""

STARTERS = _words("""
    the a an this that these those there here it its he she they we you i his her their our my your
    in on at by for from with without within to of as after before during since until while when where
    what why how which if although though because unless whereas despite among between under over
    and but or nor so yet also then thus hence therefore however moreover furthermore additionally
    meanwhile nevertheless nonetheless instead finally later today now once one two three some many most
    several both each every all any no not other others another such only even just still
    is are was were do does did has have had can could may might must shall should will would
    according following based
    der die das ein eine es er sie wir ich im am und aber
    le les une il elle ils nous ce cette dans et mais el los las su y pero este esta
""")
"""Words that, with a capital after an abbreviation, most often begin a sentence."""

DANGLING = _words(
    "the a an of and or with to from by at as whose und oder der die das le la les et de del el y"
)
"""No line ends with these on purpose."""

"""Words that say the opposite of each other: a table for :mod:`rag.cite.polarity`.

English base forms, in lower case; a side of a line lists words that say about the same, a bar
parts the sides. Forms that an ending makes are added when the table is read.
"""

from __future__ import annotations

from rag.cite.forms import irregular_forms

_TABLE = """
uphold allow grant | dismiss reject overturn
local | general
rise grow increase double | halve fall decrease
keep make continue | quit
accept approve adopt agree endorse welcome | reject refuse decline deny dismiss oppose veto
allow permit let authorise authorize | forbid prohibit ban bar disallow prevent
include contain comprise cover | exclude omit lack exempt
increase rise grow gain climb expand widen raise swell soar | decrease fall drop shrink decline
increase rise grow gain climb expand widen raise swell soar | reduce narrow lower dwindle lessen
open reopen | close shut
start begin commence launch | end finish stop cease conclude halt
keep retain preserve maintain hold | lose abandon relinquish surrender abolish scrap discard forfeit
stay remain continue persist | leave vanish disappear stop go expire
survive live | die perish
win triumph | lose
succeed | fail
pass | fail
appear emerge | vanish disappear
arrive come | leave depart
enter | leave exit
build erect construct | demolish destroy dismantle
create found establish | abolish destroy dissolve disband
save rescue protect | destroy harm endanger
repair mend restore fix | damage break
help aid support benefit | harm hinder hurt impede
improve better strengthen | worsen deteriorate weaken
love like enjoy admire adore | hate dislike loathe despise
praise applaud commend | criticise criticize condemn dislike pan fault
trust believe | distrust doubt mistrust
remember | forget
know | ignore
find | lose
buy purchase | sell
borrow | lend
lend loan | borrow
give grant award | take withhold
send | receive
import | export
attack | defend
advance | retreat
push | pull
lift raise | lower
fill | empty drain
add | remove subtract
attach fasten | detach remove unfasten
join | leave quit
connect | disconnect
lock | unlock
turn-on switch-on enable activate | disable deactivate turn-off switch-off
encourage urge | discourage deter
confirm | deny refute disprove
prove | disprove refute
hire employ recruit | fire dismiss sack
hide conceal | show reveal expose
speed accelerate hasten | slow delay
hurry | delay
delay postpone | hasten
freeze | melt thaw
melt liquefy | freeze harden solidify
soften | harden stiffen
harden hard stiff firm | soften soft
soft | hard stiff
heat warm | cool chill
wet moisten soak | dry
dry | wet moist damp humid soaked
hot warm | cold cool chilly
boil | freeze
heavy | light
thick | thin
wide broad | narrow
deep | shallow
long | short brief
tall | short
high | low
big large great huge | small little tiny
fast quick rapid swift | slow
early | late
young | old elderly
new modern recent | old ancient
strong powerful | weak feeble
rich wealthy | poor
rich | poor devoid
full | empty
cheap inexpensive | expensive costly dear
easy simple | hard difficult complicated
safe harmless | dangerous unsafe hazardous harmful risky
healthy well | ill sick unhealthy
clean | dirty filthy
clear | cloudy unclear murky
bright | dark dim
loud noisy | quiet silent
smooth | rough
sharp | blunt
straight | crooked curved
sweet | sour bitter dry
fresh | stale rotten
raw | cooked
ripe | unripe
common frequent widespread usual | rare uncommon scarce unusual
often frequently | rarely seldom
abundant plentiful | scarce
famous known | unknown obscure
popular | unpopular
public | private
free | paid chargeable
free unpaid | paid
extra additional | included
voluntary optional | compulsory mandatory obligatory required
temporary provisional | permanent lasting
partial partly | complete total entire whole
exact precise | approximate rough
true right correct accurate | false wrong incorrect inaccurate
good positive | bad negative
best | worst
possible able | impossible unable
certain sure | uncertain unsure doubtful
necessary needed required | unnecessary needless superfluous
legal lawful | illegal unlawful
valid | invalid void
guilty | innocent
visible | invisible hidden
present | absent
available obtainable | unavailable
alive | dead
awake | asleep
married | single unmarried divorced
male | female
alone | together
together jointly | separately apart alone
same identical alike | different distinct
equal | unequal
similar | different dissimilar
inside indoors indoor within | outside outdoors outdoor
above over upper | below under beneath lower
front | back rear
top | bottom
left | right
north northern | south southern
east eastern | west western
first earliest | last latest final
before earlier prior | after later
more | less fewer
most | least
many numerous | few
majority | minority
maximum most | minimum least
always | never
everyone everybody all | nobody none
everything | nothing
everywhere | nowhere
with | without
up upward upwards | down downward downwards
forward forwards | backward backwards
toward towards | away
day daytime | night
morning | evening afternoon
summer | winter
weekday | weekend
sunrise dawn | sunset dusk
online | offline in-person
manual manually | automatic automatically
natural | artificial synthetic
wild | tame cultivated
urban | rural
domestic | foreign
foreign | domestic native
local | foreign global
old-fashioned | modern
profit | loss
income revenue | expense expenditure
surplus | deficit shortage
debtor | creditor
victory | defeat
peace | war
friend ally | enemy foe rival
hero | villain
parent father mother | child son daughter
teacher | student pupil
employer | employee
landlord | tenant
buyer customer | seller vendor
guest | host
doctor | patient
plaintiff | defendant
lender | borrower
predator | prey
gross | net
solid | liquid
plural | singular
vertical | horizontal
active | inactive passive
complete finished | incomplete unfinished
careful | careless
strict | lenient lax
calm | nervous agitated
happy glad | sad unhappy
proud | ashamed
polite | rude
brave | cowardly
honest | dishonest
generous | mean stingy
tight | loose
flexible | rigid
fragile | robust sturdy
waterproof watertight | leaky permeable
fertile | barren infertile
edible | inedible poisonous
mild gentle slight | severe serious strong harsh
minor | major
cause trigger | prevent
shorten | lengthen extend prolong
extend prolong | shorten cut
tighten | loosen relax
simplify | complicate
unite merge | divide split separate
win gain earn | lose forfeit
spend | save earn
obey comply | disobey violate breach
attend | miss skip
answer reply | ignore
insured | uninsured
overdue late | punctual
sink | float
rise | set sink
sit | stand
sleep | wake
laugh | cry
export | import
lead | follow
deduct | add
deposit | withdraw
upload | download
encrypt | decrypt
compress | decompress expand
publish release | withhold suppress
promote | demote
inhale | exhale
appoint elect | dismiss oust
ally | oppose
rainy | dry sunny
crowded busy | empty deserted quiet
upstream | downstream
upstairs | downstairs
clockwise | counterclockwise anticlockwise
left-handed | right-handed
odd | even
ascend | descend
sun sunlight sunny | shade shady
constant steady | variable fluctuating
novice beginner | expert
oral spoken | written
coastal | inland
senior | junior
wholesale | retail
"""


def _endings(word: str) -> set[str]:
    """The forms that English endings make of a word; some are no words, which does no harm."""
    found = {word, f"{word}s", f"{word}ed", f"{word}ing", f"{word}er", f"{word}est", f"{word}ly"}
    if word.endswith("e"):
        found |= {f"{word}d", f"{word[:-1]}ing", f"{word}r", f"{word}st"}
    if word.endswith(("s", "x", "ch", "sh", "z")):
        found.add(f"{word}es")
    if word.endswith("y") and len(word) > 3:
        found |= {f"{word[:-1]}{end}" for end in ("ies", "ied", "ier", "iest", "ily")}
    if len(word) > 2 and word[-1] in "bdgmnprtl" and word[-2] in "aeiou":
        found |= {f"{word}{word[-1]}{end}" for end in ("ed", "ing", "er", "est")}
    return found | irregular_forms(word)


def _read(table: str) -> dict[str, frozenset[str]]:
    against: dict[str, set[str]] = {}
    for line in table.strip().splitlines():
        one, other = ({form for word in side.split() for form in _endings(word)} for side in line.split("|"))
        for word in one:
            against.setdefault(word, set()).update(other)
        for word in other:
            against.setdefault(word, set()).update(one)
    return {word: frozenset(others - {word}) for word, others in against.items()}


AGAINST = _read(_TABLE)
"""Word -> the words that say the opposite of it."""

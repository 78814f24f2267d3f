"""Units of measure and number words: tables for :mod:`rag.cite.facts`."""

from __future__ import annotations

_TABLE = """
    time: second seconds sec secs = 1, minute minutes min mins = 60, hour hours hr hrs h = 3600
    time: day days = 86400, week weeks = 604800, fortnight fortnights = 1209600
    months: month months = 1, year years yr yrs = 12, decade decades = 120, century centuries = 1200
    time: millisecond milliseconds ms = 0.001
    length: µm micrometre micrometres = 0.000001
    length: mm millimetre millimetres millimeter millimeters = 0.001, inch inches = 0.0254
    length: cm centimetre centimetres centimeter centimeters = 0.01, ft foot feet = 0.3048
    length: m metre metres meter meters = 1, yard yards = 0.9144, mile miles = 1609.344
    length: km kilometre kilometres kilometer kilometers = 1000
    mass: µg mcg microgram micrograms = 0.000000001
    mass: mg milligram milligrams = 0.000001, g gram grams gramme grammes = 0.001
    mass: kg kilogram kilograms kilo kilos = 1, tonne tonnes ton tons = 1000
    mass: lb lbs = 0.45359, ounce ounces oz = 0.02835
    volume: ml millilitre millilitres milliliter milliliters = 0.001
    volume: cl centilitre centilitres centiliter centiliters = 0.01
    volume: dl decilitre decilitres deciliter deciliters = 0.1, hl hectolitre hectolitres = 100
    volume: l litre litres liter liters = 1, gallon gallons = 3.785, pint pints = 0.568
    data: byte bytes = 1, kb kilobyte kilobytes = 1000, mb megabyte megabytes = 1000000
    data: gb gigabyte gigabytes = 1000000000, tb terabyte terabytes = 1000000000000
    share: % percent = 1
    €: € euro euros eur = 1
    $: $ dollar dollars usd = 1
    £: £ gbp pound pounds = 1
    ¥: ¥ yen jpy = 1
    cent: cent cents penny pence p = 1
    degree: ° °c degree degrees celsius = 1
    fahrenheit: °f fahrenheit = 1
    speed: km/h kmh kph = 1, mph = 1.609344
    power: w watt watts = 1, kw kilowatt kilowatts = 1000, mw megawatt megawatts = 1000000
    square length: m² sqm = 1, cm² = 0.0001, km² = 1000000
    cubic length: m³ = 1, cm³ = 0.000001
    area: hectare hectares ha = 1, acre acres = 0.404686
    speed: knot knots = 1.852
    franc: franc francs chf = 1
    crown: crown crowns = 1
    krone: krona kronor krone kroner sek nok dkk = 1
    rupee: rupee rupees inr = 1
    peso: peso pesos = 1
    yuan: yuan renminbi cny = 1
    shilling: shilling shillings = 1
    zloty: zloty zlotys = 1
    rouble: rouble roubles ruble rubles = 1
    volt: volt volts = 1
    ampere: amp amps ampere amperes = 1
    frequency: hz hertz = 1, khz kilohertz = 1000, mhz megahertz = 1000000, ghz gigahertz = 1000000000
    pressure: bar = 1, psi = 0.0689476
    energy: kwh = 1, mwh = 1000
    heat: calorie calories kcal = 1, joule joules = 0.000239, kilojoule kilojoules kj = 0.239
    loudness: decibel decibels db = 1
    pixel: pixel pixels = 1
    times: times = 1
"""


def _read(table: str) -> dict[str, tuple[str, float]]:
    units = {}
    for line in table.strip().splitlines():
        dimension, _, rest = line.strip().partition(": ")
        for entry in rest.split(", "):
            names, _, factor = entry.partition(" = ")
            units.update({name.casefold(): (dimension, float(factor)) for name in names.split()})
    return units


UNITS = _read(_TABLE)
"""Unit word -> (dimension, factor to the dimension's own unit)."""

AMBIGUOUS = frozenset("m k g w l h p bar ms min second".split())
"""Read as units only right behind a figure in digits."""

CURRENCIES = frozenset("€$£¥")
OF_CENTS = frozenset(("€", "$", "£", "crown", "franc", "krone"))
"""Currencies of a hundred cents, pence or the like."""

SMALL = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen".split()
    )
}
TENS = {
    word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
GLUED_SCALES = {"k": 1e3, "mn": 1e6, "bn": 1e9}
MONEY_SCALES = {"m": 1e6, "b": 1e9, "tn": 1e12}
"""Glued to an amount of money: behind other figures "m" is a metre."""
FRACTIONS = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fifth": 1 / 5, "tenth": 1 / 10}
ORDINALS = {
    word: number
    for number, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
        "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split(),
        1,
    )
}
TIMES = {
    "once": 1.0,
    "twice": 2.0,
    "thrice": 3.0,
    "double": 2.0,
    "doubled": 2.0,
    "triple": 3.0,
    "tripled": 3.0,
}
MONTHS = {
    name: number
    for number, names in enumerate(
        "january jan,february feb,march mar,april apr,may,june jun,july jul,august aug,september sep sept,"
        "october oct,november nov,december dec".split(","),
        1,
    )
    for name in names.split()
}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
BETWEEN_FIGURE_AND_UNIT = frozenset(
    "working business calendar full consecutive extra whole more additional further other square "
    "cubic".split()
)
"""Words that may stand between a figure and its unit."""
BEFORE_A_MONTH = frozenset(
    "in of since until till by from during every each last next to and through early late mid".split()
)
"""Words behind which "May" and "March" are months."""

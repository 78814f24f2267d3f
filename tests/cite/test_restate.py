"""A claim's figures and times in the notation of its source."""

from __future__ import annotations

import pytest

from rag.cite.restate import restated


@pytest.mark.parametrize(
    ("claim", "evidence", "said"),
    [
        ("Up to 4096 characters.", "At most 4,096 characters.", "Up to 4,096 characters."),
        ("It is never shorter than a week.", "No shorter than 7 days.", "It is never shorter than 7 days."),
        ("It arrives within 30 minutes.", "It takes half an hour.", "It arrives within half an hour."),
        ("From 1pm to 3pm.", "Between 13:00 and 15:00.", "From 13:00 to 15:00."),
        ("It opens at 3 p.m. on Monday.", "Mondays from 15:00.", "It opens at 15:00 on Monday."),
        ("A copy costs 40 cents.", "Copies: €0.40 each.", "A copy costs €0.40."),
        ("It costs €1500.", "1,500 euros are due.", "It costs 1,500 euros."),
        ("Half of them stayed.", "50 % stayed.", "50 % of them stayed."),
        ("It lasts 1 hour 30 minutes.", "90 minutes long.", "It lasts 90 minutes."),
        ("Three rooms are free.", "There are 3 rooms.", "3 rooms are free."),
        ("It takes 1 to 2 weeks.", "It takes 7 days, at most 14 days.", "It takes 7 days to 14 days."),
        ("It costs € 1500.", "It costs €1,500.", "It costs €1,500."),
        ("It costs EUR 1,200.", "It costs €1200.", "It costs €1200."),
        ("It opens at 13:00.", "Open 1-3 p.m.", "It opens at 1 p.m.."),
        ("A copy costs 50 pence.", "Copies: £0.50.", "A copy costs £0.50."),
        ("It is open until 8 p.m. on Fridays.", "Open until 8 on Fridays.", "It is open until 8 on Fridays."),
        ("Apply by 30 April.", "Apply by the end of April.", "Apply by the end of April."),
    ],
)
def test_what_is_the_same_is_written_as_the_source_does(claim: str, evidence: str, said: str) -> None:
    assert restated(claim, evidence) == said


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("It takes 30 minutes.", "It takes an hour."),
        ("It takes ten days.", "It takes 10 working days."),
        ("It costs 12 euros a month.", "It costs €12 a year."),
        ("Three rooms are free.", "There are 3 cars."),
        ("It starts at 3 p.m.", "It starts at 3 a.m."),
        ("It costs 40 cents.", "It costs €4.00."),
        ("It takes half an hour at least.", "It takes 30 to 60 minutes."),
        ("He came third.", "They were 3."),
        ("Delivery takes two days.", "The courier comes every other day."),
        ("It is watered every other day.", "Water every 2 days."),
        ("The fee is halved.", "The fee is cut by 50 %."),
        ("Pay half the fee.", "Pay 50 % of it."),
        ("One in four people came.", "25 % came."),
        ("It takes 1 to 2 weeks.", "It takes 7 to 14 days."),
        ("It takes 60 to 90 minutes.", "It takes 1 to 1.5 hours."),
        ("It starts at half past three in the afternoon.", "It starts at 3:30 a.m."),
        ("It starts at three o'clock.", "It starts at 3 a.m. and at 15:00."),
        ("A copy costs 50 pence.", "Copies: €0.50."),
        ("Room for 8 p.m.", "Room for 8 guests."),
        ("Apply by 28 April.", "Apply by the end of April."),
        ("It is due on 30 April.", "It is due by the end of April."),
        ("It costs 12 euros.", "It costs 12 euros."),
        ("Nothing here counts.", ""),
    ],
)
def test_what_differs_or_has_no_unit_beside_it_stays(claim: str, evidence: str) -> None:
    assert restated(claim, evidence) == claim

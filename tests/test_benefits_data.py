"""The help pages of the benefits office are quoted as evidence, so they must not contradict each other."""

from __future__ import annotations

import re
import unicodedata
from calendar import month_name
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import yaml

from rag.prototypes import load_prototype

BENEFITS = Path(__file__).resolve().parent.parent / "prototypes" / "benefits"
TOPICS = {
    *("housing", "food", "disability", "children", "unemployment"),
    *("health", "pensions", "appeals", "payments", "residency"),
}
AUDIENCES = {"claimant", "carer", "parent", "student", "employer", "landlord", "adviser"}

OTHER_AMOUNTS = {
    "Basic Allowance": {30: "of other income makes no difference"},
    "Carer's Weekly Payment": {190: "may be earned", 191: "is too much"},
    "County Pension": {
        6.6: "for each year",
        165: "25 years",
        132: "20 years",
        99: "15 years",
        66: "10 years",
    },
    "Food Card": {
        480: "income limit",
        150: "for each further person",
        9: "baby top-up",
        12: "school holidays",
        10: "matched",
    },
    "Pension Top-up": {40: "of wages are not counted", 132: "the pension of an example"},
    "Jobseeker's Payment": {50: "may be earned"},
}
"""Amounts a week that stand beside a benefit and are not its rate: what they are."""


@dataclass(frozen=True)
class Article:
    name: str
    facts: dict[str, object]
    body: str

    @property
    def updated(self) -> date:
        assert isinstance(self.facts["updated"], date), self.name
        return self.facts["updated"]

    @property
    def prose(self) -> str:
        """The body without headings, tables and the marks of links and lists."""
        lines = [line for line in self.body.splitlines() if not line.startswith(("#", "|"))]
        text = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", "\n".join(lines))
        return re.sub(r"(?m)^(- |\d\. )", "", text).replace("**", "")

    @property
    def sentences(self) -> list[str]:
        return [s for s in re.split(r"(?<=[.!?:])\s+|\n+", self.prose) if s.strip()]


def read(path: Path) -> Article:
    _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
    return Article(path.name, yaml.safe_load(head), body)


ARTICLES = {path.name: read(path) for path in sorted((BENEFITS / "articles").glob("*.md"))}


def rows(name: str, *columns: str) -> list[list[str]]:
    """The rows of the tables with these columns."""
    found: list[list[str]] = []
    wanted = False
    for line in ARTICLES[name].body.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            wanted = False
        elif tuple(cells) == columns:
            wanted = True
        elif wanted and not cells[0].startswith("---"):
            found.append(cells)
    return found


def rates(year: int) -> dict[str, set[float]]:
    """Benefit to its amounts a week, whatever stands behind the comma."""
    found: dict[str, set[float]] = defaultdict(set)
    for label, amount in rows(f"benefit-rates-{year}.md", "Benefit", "Crowns a week"):
        found[label.split(",")[0]].add(float(amount))
    return found


FORMS = {form: benefit for form, benefit, _ in rows("list-of-forms.md", "Form", "Benefit", "What for")}
GENERAL_FORMS = {form for form, _ in rows("list-of-forms.md", "Form", "What for")}
LINES = {line.casefold(): number for line, number, _ in rows("contact-us.md", "Line", "Number", "Open")}
each_article = pytest.mark.parametrize("article", ARTICLES.values(), ids=lambda article: article.name)


def named(names: set[str], sentence: str) -> list[str]:
    return [name for name in sorted(names) if re.search(rf"\b{re.escape(name)}\b", sentence)]


# --- shape ------------------------------------------------------------------


def test_there_are_many_articles_on_every_topic() -> None:
    counts = Counter(article.facts["topic"] for article in ARTICLES.values())
    assert len(ARTICLES) >= 60
    assert set(counts) == TOPICS
    assert min(counts.values()) >= 5


@each_article
def test_front_matter_is_complete(article: Article) -> None:
    assert list(article.facts) == ["title", "topic", "audience", "updated"]
    assert article.facts["audience"] in AUDIENCES
    assert date(2024, 6, 1) <= article.updated <= date(2026, 11, 30)


def test_titles_and_dates_differ() -> None:
    titles = Counter(str(article.facts["title"]).casefold() for article in ARTICLES.values())
    assert [title for title, n in titles.items() if n > 1] == []
    assert len({article.updated for article in ARTICLES.values()}) >= 90
    assert {article.updated.year for article in ARTICLES.values()} == {2024, 2025, 2026}


@each_article
def test_an_article_is_short_and_has_headings(article: Article) -> None:
    assert 150 <= len(re.findall(r"\w[\w'’.,-]*", article.body)) <= 450
    assert len(re.findall(r"(?m)^## \S", article.body)) >= 2
    assert not re.search(r"(?m)^# ", article.body)  # the title is in the front matter


@each_article
def test_the_text_is_composed_and_clean(article: Article) -> None:
    assert article.body == unicodedata.normalize("NFC", article.body)
    assert re.search(r"\S {2}|\t|[ ]$", article.body, re.MULTILINE) is None


def test_no_longer_sentence_stands_in_two_articles() -> None:
    seen = Counter(s.casefold() for a in ARTICLES.values() for s in set(a.sentences) if len(s.split()) >= 9)
    assert [s for s, n in seen.items() if n > 1] == []


@each_article
def test_links_lead_to_other_articles(article: Article) -> None:
    targets = re.findall(r"\]\(([^)]+)\)", article.body)
    assert [t for t in targets if t not in ARTICLES or t == article.name] == []


def test_the_prototype_counts_its_articles_and_leaves_facets_to_be_guessed(tmp_path: Path) -> None:
    prototype = load_prototype("benefits", tmp_path)
    assert [path.name for path in prototype.document_paths] == ["articles"]
    assert prototype.facets == ()
    assert f"{len(ARTICLES)} help articles" in prototype.description
    assert len(prototype.suggestions) == 4


# --- one truth --------------------------------------------------------------


def test_the_list_of_forms_names_each_form_once() -> None:
    listed = [row[0] for row in rows("list-of-forms.md", "Form", "Benefit", "What for")]
    assert len(listed) == len(FORMS) >= 50
    assert not GENERAL_FORMS & set(FORMS)


def test_forms_in_use_are_those_of_the_list() -> None:
    used = {f for a in ARTICLES.values() if a.name != "list-of-forms.md" for f in forms_in(a.body)}
    assert used == set(FORMS) | GENERAL_FORMS


def forms_in(text: str) -> list[str]:
    return re.findall(r"\b[A-Z]{2}\d\b(?! \d)(?! 2AP| 4BO)", re.sub(r"TC1 \w+", "", text))


@each_article
def test_a_form_stands_beside_its_own_benefit(article: Article) -> None:
    for sentence in article.sentences:
        forms = [form for form in forms_in(sentence) if form in FORMS]
        benefits = named(set(FORMS.values()), sentence)
        if forms and len(benefits) == 1:
            assert {FORMS[form] for form in forms} == set(benefits), sentence


@each_article
def test_weekly_amounts_are_those_of_the_year_of_the_article(article: Article) -> None:
    # The rates of April 2026 were published in the first week of February 2026.
    known = rates(2026) if article.updated >= date(2026, 2, 1) else rates(2025) | {"Food Card": {34, 22}}
    for sentence in article.sentences:
        benefits = named(set(known), sentence)
        if len(benefits) == 1:
            amounts = {float(n) for n in re.findall(r"\b(\d+(?:\.\d+)?) crowns a week", sentence)}
            assert amounts <= known[benefits[0]] | set(OTHER_AMOUNTS.get(benefits[0], ())), sentence


def test_rates_go_up_or_stay() -> None:
    older, newer = rates(2025), rates(2026)
    assert len(older) >= 10
    assert [b for b in older if min(newer[b]) <= min(older[b]) or max(newer[b]) <= max(older[b])] == []


@each_article
def test_phone_numbers_are_those_of_the_contact_page(article: Article) -> None:
    outside = {"555-0190", "555-0194"}  # the Appeals Panel and the County Ombudsman
    assert set(re.findall(r"\b\d{3}-\d{4}\b", article.body)) <= set(LINES.values()) | outside
    pattern = rf"({'|'.join(map(re.escape, LINES))})(?:,| on| is) (555-\d{{4}})"
    for line, number in re.findall(pattern, article.prose, re.IGNORECASE):
        assert LINES[line.casefold()] == number, line


@each_article
def test_weekdays_fall_on_their_dates(article: Article) -> None:
    months = list(month_name)
    dated = re.findall(rf"(\w+day),? (\d{{1,2}}) ({'|'.join(months[1:])}) (20\d\d)", article.body)
    for weekday, day, month, year in dated:
        assert date(int(year), months.index(month), int(day)).strftime("%A") == weekday


def test_payments_are_made_on_working_days() -> None:
    moved = rows("payment-dates.md", "Payment due", "Paid on")
    assert len(moved) == 4
    assert [paid for _, paid in moved if paid.startswith(("Saturday", "Sunday"))] == []


@pytest.mark.parametrize(
    ("older", "newer", "changed"),
    [
        ("benefit-rates-2025.md", "benefit-rates-2026.md", "1 April 2026"),
        ("review-before-september-2025.md", "ask-for-a-review.md", "1 September 2025"),
        ("childcare-refund-before-september-2025.md", "childcare-refund.md", "1 September 2025"),
        ("winter-heating-payment-2025.md", "winter-heating-payment-2026.md", "2026"),
        ("renew-housing-support-on-paper.md", "renew-housing-support.md", ""),
        ("food-vouchers-end.md", "apply-for-food-card.md", "1 October 2024"),
        ("port-lindow-service-centre-moves.md", "service-centres.md", "1 June 2026"),
    ],
)
def test_a_page_that_was_superseded_is_older_and_agrees_on_the_day(
    older: str, newer: str, changed: str
) -> None:
    assert ARTICLES[older].updated < ARTICLES[newer].updated
    assert changed in ARTICLES[newer].body

"""The chat page in Chromium: what a reader sees, clicks and comes back to."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser_steps import Visit, ask
from playwright.sync_api import BrowserContext, expect

pytestmark = pytest.mark.browser
LAMB = "Which wine goes with lamb?"
NewContext = Callable[..., BrowserContext]


def test_a_clicked_suggestion_is_answered_with_evidence(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name=LAMB).click()
    expect(page.get_by_test_id("stChatMessage").last).to_contain_text("comes from Spain.")
    expect(page.locator(".stMarkdownBadge").first).to_have_text("1")
    marked = page.get_by_test_id("stChatMessage").locator(".stMarkdownColoredBackground")
    expect(marked).to_have_count(0)
    page.get_by_role("radio", name="1 Quinta da Pedra 2019, page 3").click()
    expect(marked).to_have_text("Quinta da Pedra 2019 comes from Portugal.")
    page.get_by_role("radio", name="3 South").click()
    expect(marked).to_have_text("Viña Salina 2018 comes from Spain.")


def test_a_thumb_is_saved_kept_changed_and_taken_back(visit: Visit) -> None:
    page = visit()
    ask(page, LAMB)
    up, down = (page.get_by_role("radio", name=f"Thumbs {way}") for way in ("up", "down"))
    for click, then in ((up, (True, False)), (down, (False, True)), (down, (False, False))):
        click.click()
        expect(page.get_by_text("Saved")).to_be_visible()
        page.reload()
        expect(up).to_be_checked(checked=then[0])
        expect(down).to_be_checked(checked=then[1])


def test_a_reload_keeps_the_conversation_and_a_second_tab_sees_it(
    visit: Visit, new_context: NewContext
) -> None:
    context = new_context()
    page = visit(context)
    ask(page, LAMB)
    page.reload()
    expect(page.get_by_test_id("stChatMessage")).to_have_count(2)
    second = visit(context)
    second.get_by_role("button", name=LAMB).last.click()
    expect(second.get_by_test_id("stChatMessage")).to_have_count(2)


def test_the_address_alone_opens_nothing_in_another_browser(visit: Visit, new_context: NewContext) -> None:
    page = visit()
    ask(page, LAMB)
    query = page.url[page.url.index("?") :]
    other = visit(new_context(), query)
    expect(other.get_by_text("This conversation does not open here")).to_be_visible()
    expect(other.get_by_test_id("stChatMessage")).to_have_count(0)
    expect(other).to_have_url(re.compile(r"\?prototype=wine$"))


def test_the_secret_stays_in_its_cookie(visit: Visit, new_context: NewContext) -> None:
    context = new_context()
    page = visit(context)
    ask(page, LAMB)
    secrets = [c["value"] for c in context.cookies() if c["name"] == "thumbprint"]
    assert len(secrets) == 1
    assert secrets[0] not in page.url
    assert secrets[0] not in page.content()


def test_two_tabs_of_a_new_browser_settle_on_one_secret(
    fake_app: str, visit: Visit, new_context: NewContext
) -> None:
    context = new_context()
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        tab.goto(fake_app, wait_until="commit")
    for tab in tabs:
        expect(tab.get_by_test_id("stChatInputTextArea")).to_be_visible()
        ask(tab, LAMB)
    expect(visit(context).get_by_test_id("stSidebar").get_by_text(LAMB)).to_have_count(2)


def test_a_browser_that_refuses_cookies_is_told(visit: Visit, new_context: NewContext) -> None:
    context = new_context()
    context.add_init_script(
        "Object.defineProperty(document, 'cookie', { get: () => '', set: () => undefined })"
    )
    page = visit(context)
    expect(page.get_by_text("This browser keeps no cookies")).to_be_visible()
    ask(page, LAMB)


def test_an_answer_is_stopped_and_what_was_written_is_kept(visit: Visit) -> None:
    page = visit()
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill("slow please")
    box.press("Enter")
    expect(page.get_by_test_id("stChatMessage").last).to_contain_text("Quinta")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped before its end")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Stopped before its end")).to_be_visible()


def test_reloading_and_rating_leave_an_answer_being_written_alone(visit: Visit) -> None:
    page = visit()
    ask(page, LAMB)
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill("slow please")
    box.press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.get_by_role("radio", name="Thumbs up").first.click()
    expect(page.get_by_text("Saved")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_role("button", name="Regenerate")).to_be_visible()
    expect(page.get_by_text("Stopped before its end")).to_have_count(0)


def test_copying_puts_the_text_on_the_clipboard(visit: Visit, new_context: NewContext) -> None:
    page = visit(new_context(permissions=["clipboard-read", "clipboard-write"]))
    ask(page, LAMB)
    page.get_by_role("button", name="Copy this answer").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Quinta da Pedra 2019 comes from Portugal. [1] Monte Velho")


def test_what_documents_say_loads_nothing_and_draws_as_text(visit: Visit, new_context: NewContext) -> None:
    context = new_context()
    requested: list[str] = []
    context.on("request", lambda request: requested.append(request.url))
    page = visit(context)
    origin = page.url.split("?")[0].rstrip("/")
    ask(page, "wax")
    answer = page.get_by_test_id("stChatMessage").last
    expect(answer).to_contain_text(
        "![x](http://127.0.0.1:9/leak) or [a](javascript:alert(1)), $$x^2$$, :red[x]"
    )
    expect(answer.locator("a, img, .katex")).to_have_count(0)
    page.wait_for_timeout(500)
    elsewhere = [url for url in requested if not url.startswith((origin, "data:", "blob:"))]
    assert elsewhere == []


def test_filters_narrow_the_answer_and_can_be_dropped(visit: Visit) -> None:
    page = visit()
    page.get_by_text("lamb 2").click()
    expect(page.get_by_text("2 of 5 documents match")).to_be_visible()
    page.get_by_text("Spain 1").click()
    expect(page.get_by_text("1 of 5 documents match")).to_be_visible()
    expect(page.get_by_text("Filtered: Country: Spain · Goes with: lamb")).to_be_visible()
    ask(page, "What is there?")
    expect(page.get_by_test_id("stChatMessage").last).to_contain_text("Viña Salina 2018 comes from Spain.")
    page.get_by_text("Spain 1").click()
    page.get_by_text("Germany 0").click()
    expect(page.get_by_text("No document matches these filters.")).to_be_visible()
    page.get_by_role("button", name="Goes with: lamb").click()
    expect(page.get_by_text("1 of 5 documents match")).to_be_visible()


def test_a_conversation_is_renamed_and_deleted(visit: Visit) -> None:
    page = visit()
    ask(page, LAMB)
    page.get_by_role("button", name="Edit").click()
    page.get_by_text("Rename", exact=True).click()
    page.get_by_label("Title").fill("Sunday")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_test_id("stSidebar")).to_contain_text("Sunday")
    page.get_by_role("button", name="Edit").click()
    page.get_by_text("Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_test_id("stChatMessage")).to_have_count(0)
    expect(page.get_by_test_id("stSidebar")).not_to_contain_text("Sunday")


def test_a_failure_keeps_the_question(visit: Visit) -> None:
    page = visit()
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill("break it")
    box.press("Enter")
    expect(page.get_by_text("The model did not answer. Ask again in a minute.")).to_be_visible()
    page.get_by_role("button", name="Change the question").click()
    expect(box).to_have_value("break it")


def test_back_leads_from_a_conversation_to_the_beginning(visit: Visit) -> None:
    page = visit()
    ask(page, LAMB)
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_test_id("stChatMessage")).to_have_count(0)
    page.go_back()
    expect(page.get_by_test_id("stChatMessage")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_a_phone(visit: Visit, new_context: NewContext, scheme: str) -> None:
    page = visit(new_context(width=390, height=844, color_scheme=scheme))
    ask(page, "wax " + "long" * 60)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    main = page.locator("#stMain")
    assert main.evaluate("element => element.scrollWidth <= element.clientWidth")


def test_everything_is_reached_by_keyboard(visit: Visit) -> None:
    page = visit()
    ask(page, LAMB)
    reached = set()
    page.locator("#stMain").focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "(() => { let e = document.activeElement; while (e.shadowRoot?.activeElement) "
                "e = e.shadowRoot.activeElement; return e.getAttribute('aria-label') || e.innerText; })()"
            )
        )
    names = " | ".join(str(name) for name in reached)
    for wanted in ("Copy this answer", "Regenerate", "Quinta da Pedra"):
        assert wanted in names

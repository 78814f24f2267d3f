"""Who looks at the page: the guard in front of the owner's pages, and the way through it.

How the server is bound is read from Streamlit's own configuration. What a client says of itself
never opens anything; a header may only speak against it, where it shows that the browser came
through a proxy or by another name than this machine's own.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from streamlit import config
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import RunLocation, ThreadState

from pages.ui import browser, resources
from pages.ui.text import plain
from rag.access import MAX_PASSWORD, Owner, is_account, waiting
from rag.errors import AccessError

HASH_COMMAND = "python -m rag owner hash"
RESET_COMMAND = "python -m rag owner reset"
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via")
_WRONG = "access-problem"


def is_loopback() -> bool:
    """Whether only this machine reaches the server, as it is configured.

    An address that is not set means all interfaces. A server that answers for other origins, or
    is told a public address, stands behind a proxy: what it is bound to says nothing then.
    """
    bound = config.get_option("server.address")
    known_as = config.get_option("browser.serverAddress")
    return (
        _is_this_machine(bound)
        and (not config.is_manually_set("browser.serverAddress") or _is_this_machine(known_as))
        and bool(config.get_option("server.enableCORS"))
        and not [o for o in config.get_option("server.corsAllowedOrigins") if not _is_local_url(o)]
    )


def _is_this_machine(name: str | None) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address((name or "").strip("[]")).is_loopback
    except ValueError:
        return False


def _is_local_url(url: str) -> bool:
    return _is_this_machine(urlsplit(url).hostname)


def _came_directly() -> bool:
    """Whether nothing speaks against a browser on this machine: no proxy's header, no other name."""
    headers = st.context.headers
    host = headers.get("Host")
    return not any(headers.get(name) for name in _FORWARDED) and (
        host is None or _is_this_machine(urlsplit(f"//{host}").hostname)
    )


def client_address() -> str:
    """The network address that this browser is counted under.

    Behind proxies of one's own (``THUMBPRINT_PROXIES``), the last of them but so many says it;
    what a client wrote into the header before them is not looked at.
    """
    direct = st.context.ip_address or "this machine"
    proxies = resources.engine().environment.proxies
    chain = [part.strip() for part in (st.context.headers.get("X-Forwarded-For") or "").split(",")]
    if not proxies or len(chain) < proxies:
        return direct
    try:
        return str(ipaddress.ip_address(chain[-proxies]))
    except ValueError:
        return direct


# --- is it the owner? -------------------------------------------------------------


def has_accounts() -> bool:
    """Whether OpenID Connect is set up, with a list of who may come in."""
    return bool(resources.engine().environment.owner_accounts) and _has_provider()


def _has_provider() -> bool:
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False


def is_owner() -> bool:
    """Whether this session is the owner's at this moment: it claimed, signed in, or is on the list."""
    owner, secret = resources.owner(), browser.browser_secret()
    if is_loopback() and owner.has_claimed(secret):
        return True
    if owner.has_password and owner.has_session(browser.owner_session(), secret):
        return True
    return has_accounts() and is_account(st.user.to_dict(), resources.engine().environment.owner_accounts)


def may_claim() -> bool:
    """Whether an owner's page would make this browser the owner's."""
    return is_loopback() and _came_directly() and not resources.owner().is_claimed()


def require_owner() -> None:
    """Go on where this is the owner; otherwise draw the way in, and end the run.

    Nothing of the owner's is read before: only the guard's own few rows.
    """
    if is_owner():
        return
    if may_claim():
        if browser.is_kept():
            if resources.owner().claim(browser.browser_secret()):
                return
        elif not browser.is_refused():
            browser.remember(tell=True)  # then the page is drawn again
            st.stop()
    with narrow():
        _way_in(resources.owner())
    browser.remember()
    st.stop()


def narrow() -> Any:
    """A column in the middle, for a page that says one thing."""
    return st.container(horizontal_alignment="center").container(width=460, key="access")


def _way_in(owner: Owner) -> None:
    st.title(":material/lock: For the owner", anchor=False)
    st.markdown("The library, feedback and links are the owner's.")
    if browser.is_refused():
        st.warning("This browser keeps no cookies, so it cannot be known again. Allow them for this page.")
    if has_accounts():
        _accounts()
    if owner.is_misspelt:
        st.error(
            "`THUMBPRINT_OWNER_PASSWORD` is not a hash, so nobody can sign in with it. Make one with "
            f"`{HASH_COMMAND}`."
        )
    elif owner.has_password:
        password_form("owner", "Password", _sign_in)
    elif not has_accounts():
        _how_to_unlock()
    if resources.engine().environment.chat == "open":
        st.page_link("app.py", label="To the chat, which is open to you", icon=":material/chat:")


def _how_to_unlock() -> None:
    here = is_loopback()
    if here and resources.owner().is_claimed():
        st.info("Another browser claimed this installation.", icon=":material/info:")
    st.markdown(
        "To open these pages "
        + ("in this browser too" if here else "on this server")
        + ", set a password: run the first line where Thumbprint is installed, put what it prints into "
        "`.streamlit/secrets.toml` (or the environment), and start the server again."
    )
    st.code(f'{HASH_COMMAND}\nTHUMBPRINT_OWNER_PASSWORD = "scrypt:…"', language=None, wrap_lines=True)
    if here:
        st.markdown("Or take the claim back; the next browser that opens this page is the owner's then:")
        st.code(RESET_COMMAND, language=None)
    else:
        st.caption(
            "Or set up OpenID Connect (`[auth]` in the secrets, as Streamlit describes it) and "
            "name your account in `THUMBPRINT_OWNER_ACCOUNTS`."
        )


def _accounts() -> None:
    if st.user.to_dict().get("is_logged_in"):
        st.error("This account is not on the owner's list.", icon=":material/block:")
        st.button("Use another account", on_click=st.logout)
    else:
        st.button("Sign in", icon=":material/login:", type="primary", on_click=st.login)


def password_form(door: str, label: str, check: Any) -> None:
    """A field for a password, or how long it is locked. ``check(password)`` raises AccessError."""
    wait = resources.owner().guard.wait(door, client_address())
    if wait.seconds > 0 and wait.locked:
        st.error(waiting(wait), icon=":material/lock_clock:")
        return
    with st.form(f"password-{door}", border=False, clear_on_submit=True):
        st.text_input(
            label,
            type="password",
            key=f"typed-{door}",
            max_chars=MAX_PASSWORD,
            autocomplete="current-password",
        )
        st.form_submit_button("Open", type="primary", on_click=_try, args=(door, check))
    problem = st.session_state.pop(_WRONG, "")
    if problem:
        st.error(plain(problem), icon=":material/error:")


def _try(door: str, check: Any) -> None:
    typed = str(st.session_state.pop(f"typed-{door}", "") or "")
    if not typed:
        return
    try:
        check(typed)
    except AccessError as error:
        st.session_state[_WRONG] = str(error)


def _sign_in(password: str) -> None:
    token = resources.owner().sign_in(password, client_address(), browser.browser_secret())
    browser.keep_owner_session(token)


def sign_out() -> None:
    """Callback: end the owner's session of this browser."""
    resources.owner().sign_out(browser.owner_session(), browser.browser_secret())
    browser.keep_owner_session("")


def _is_outside() -> bool:
    """Whether this is a callback or a fragment, which run without the page's first lines."""
    return ThreadState.get().run_location is not RunLocation.MAIN_SCRIPT


# --- as long as it is the owner ------------------------------------------------------


class Guarded:
    """Something of the owner's that is checked for again at every use.

    A page that stands open outlives the session: its callbacks and fragments run without the
    page's first lines. When the session has ended, they end and the page is drawn again, which
    then asks for the password. The page's own lines come after its guard and are not checked again;
    what works on a thread of its own was begun by the owner.
    """

    _WITHIN = frozenset({"store", "links", "preferences", "annotations", "digest", "findings", "topics"})
    _GIVES = frozenset({"librarian"})

    def __init__(self, inner: Any) -> None:
        object.__setattr__(self, "_inner", inner)

    def __getattr__(self, name: str) -> Any:
        if get_script_run_ctx() is not None and _is_outside() and not is_owner():
            st.rerun()
        value = getattr(object.__getattribute__(self, "_inner"), name)
        if name in self._WITHIN:
            return Guarded(value)
        if name in self._GIVES:
            return lambda *args, **options: Guarded(value(*args, **options))
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(name)

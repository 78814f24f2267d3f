"""The secret that a browser keeps, so that a conversation opens there and nowhere else.

It lives in a cookie: the browser sends it with the connection, so the first run of the script already
knows it and a reload shows the conversation at once. It is written by script, because
Streamlit answers no request of ours that could carry ``Set-Cookie``; it is never in the
address, never in a page that another browser gets, and the store keeps only its hash.

A browser that comes without it is offered a new one. Three ways it can go on:

- it keeps the offer: nothing else happens, the page is not drawn again;
- it turns out to have one (another tab was quicker, or a proxy withheld the cookie): it
  tells, and that one counts;
- it refuses cookies: it tells, conversations last as long as the session, and the page
  says so.

On an owner's page it also tells that it kept the offer: a claim that the browser would
forget is none. The owner's session after a password is a second cookie of the same kind; it is
signed, ends by itself, and is worth nothing without the secret that it was made for.
"""

from __future__ import annotations

import re
import secrets

import streamlit as st

_COOKIE = "thumbprint"
_SHAPE = re.compile(r"[A-Za-z0-9_-]{40,64}")
_SECRET = "browser-secret"
_OFFER = "browser-offer"
_REFUSED = "browser-refused"
_KEY = "browser"
_OWNER_COOKIE = "thumbprint_owner"
_OWNER = "owner-session"
_OWNER_SHAPE = re.compile(r"[0-9]{1,15}\.[0-9a-f]{64}")

# 400 days is the longest that Chromium keeps a cookie; every visit begins them anew.
_SCRIPT = """
export default function ({ data, setStateValue }) {
  const kept = () => {
    const found = document.cookie.split("; ").find((part) => part.startsWith(data.cookie + "="));
    const value = found ? found.slice(data.cookie.length + 1) : "";
    return /^[A-Za-z0-9_-]{40,64}$/.test(value) ? value : "";
  };
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const secret = kept() || data.offer;
  document.cookie = `${data.cookie}=${secret}; Path=/; Max-Age=34560000; SameSite=Strict${secure}`;
  const now = kept();
  if (!now) setStateValue("refused", true);
  else if (data.offer && now !== data.offer) setStateValue("secret", now);
  else if (data.offer && data.tell) setStateValue("kept", now);
  if (data.owner !== null) {
    const age = data.owner ? Number(data.owner.split(".")[0]) - Date.now() / 1000 : 0;
    const kept = `Path=/; Max-Age=${Math.max(0, Math.floor(age))}; SameSite=Strict${secure}`;
    document.cookie = `${data.ownerCookie}=${data.owner}; ${kept}`;
  }
}
"""
_component = st.components.v2.component("thumbprint_browser", js=_SCRIPT)


def browser_secret() -> str:
    """The secret of the browser that this session belongs to; an offer until it has one."""
    state = st.session_state
    if _SECRET not in state:
        sent = st.context.cookies.get(_COOKIE, "")
        known = _SHAPE.fullmatch(sent) is not None
        state[_SECRET] = sent if known else secrets.token_urlsafe(32)
        state[_OFFER] = "" if known else state[_SECRET]
    return str(state[_SECRET])


def is_refused() -> bool:
    """Whether the browser keeps nothing, so that conversations end with the session."""
    return bool(st.session_state.get(_REFUSED))


def is_kept() -> bool:
    """Whether the browser has the secret: it came with it, or told that it kept the offer."""
    browser_secret()
    return not st.session_state.get(_OFFER)


def owner_session() -> str:
    """What this browser has to show for itself as the owner's; empty where nothing."""
    if _OWNER not in st.session_state:
        sent = str(st.context.cookies.get(_OWNER_COOKIE, ""))
        return sent if _OWNER_SHAPE.fullmatch(sent) else ""
    return str(st.session_state[_OWNER])


def keep_owner_session(token: str) -> None:
    """Have the browser keep a session of the owner; an empty one ends it. For callbacks."""
    st.session_state[_OWNER] = token


def remember(*, tell: bool = False) -> None:
    """Have the browser keep the secret. Draws nothing; call it once, last on the page.

    ``tell``: it is to say so when it has kept the offer, and the page is drawn again.
    """
    state = st.session_state
    data = {
        "cookie": _COOKIE,
        "offer": state.get(_OFFER, ""),
        "tell": tell,
        "ownerCookie": _OWNER_COOKIE,
        "owner": state.get(_OWNER),
    }
    listen = {f"on_{name}_change": _listen for name in ("refused", "secret", "kept")}
    _component(key=_KEY, data=data, height=0, **listen)


def _listen() -> None:
    told = st.session_state[_KEY]
    if told.refused:
        st.session_state[_REFUSED] = True
    if _SHAPE.fullmatch(str(told.secret or "")):
        st.session_state[_SECRET] = told.secret
        st.session_state[_OFFER] = ""
    if told.kept and told.kept == st.session_state.get(_SECRET):
        st.session_state[_OFFER] = ""

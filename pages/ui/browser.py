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


def remember() -> None:
    """Have the browser keep the secret. Draws nothing; call it once, last on the page."""
    data = {"cookie": _COOKIE, "offer": st.session_state.get(_OFFER, "")}
    _component(key=_KEY, data=data, height=0, on_refused_change=_listen, on_secret_change=_listen)


def _listen() -> None:
    told = st.session_state[_KEY]
    if told.refused:
        st.session_state[_REFUSED] = True
    if _SHAPE.fullmatch(str(told.secret or "")):
        st.session_state[_SECRET] = told.secret
        st.session_state[_OFFER] = ""

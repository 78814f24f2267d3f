"""A button that puts an answer on the clipboard, and says so where it was clicked."""

from __future__ import annotations

import streamlit as st

_HTML = """
<button type="button" aria-label="Copy this answer">
  <svg viewBox="0 0 24 24" aria-hidden="true">
    <rect x="9" y="9" width="11" height="11" rx="2" />
    <path d="M15 5.5V5a2 2 0 0 0-2-2H5a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h.5" />
  </svg>
  <span>Copy</span>
</button>
"""
_CSS = """
button {
  display: inline-flex; align-items: center; gap: 0.45rem; min-height: 2.25rem; padding: 0 0.5rem;
  font-family: inherit; font-size: 0.875rem; color: var(--st-text-color); white-space: nowrap;
  background: none; border: none; border-radius: 0.5rem; cursor: pointer;
}
button:hover { color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); }
svg { width: 1rem; height: 1rem; fill: none; stroke: currentColor; stroke-width: 2; }
"""
# Without https (another machine on the network) browsers have no navigator.clipboard; the
# older command works there because it runs inside the click.
_SCRIPT = """
export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button");
  const label = parentElement.querySelector("span");
  const older = () => {
    const area = document.createElement("textarea");
    area.value = data.text;
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.appendChild(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    button.focus();
    return done;
  };
  button.onclick = async () => {
    let done = false;
    try {
      await navigator.clipboard.writeText(data.text);
      done = true;
    } catch {
      done = older();
    }
    label.textContent = done ? "Copied" : "Not copied: select the text instead";
    setTimeout(() => { label.textContent = "Copy"; }, 2500);
  };
}
"""
_component = st.components.v2.component("thumbprint_copy", html=_HTML, css=_CSS, js=_SCRIPT)


def copy_button(text: str, key: str) -> None:
    """Draw the button for that text; ``key`` must be its own on the page."""
    _component(key=key, data={"text": text}, width="content")

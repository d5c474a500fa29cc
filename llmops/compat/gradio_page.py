"""Gradio's page from inside, in the browser: what its scripts get wrong or lack, and where its parts are found.

All of it hangs on the markup and the scripts of one version.
"""

import re

MADE_FOR = "gradio 6.31.0"

MEND_JS = """() => {
  const mend = () => {
    for (const field of document.querySelectorAll("input.search-input:not([aria-label])"))
      field.setAttribute("aria-label", field.title || field.placeholder);
  };
  mend();
  new MutationObserver(mend).observe(document.body, {childList: true, subtree: true});
  document.addEventListener("keydown", (event) => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    const tab = event.target.closest?.('[role="tab"]');
    if (!step || !tab) return;
    const all = tab.closest('[role="tablist"]').querySelectorAll('[role="tab"]');
    const tabs = [...all].filter((tab) => tab.offsetParent);
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    event.preventDefault();
    next.focus();
    next.click();
  });
}"""
"""For keyboards and screen readers: a table's search field has only a tooltip for a name; tabs don't follow the arrow
keys. Both are mended as they appear."""

# Gradio's own script leaves the address to return to open at its first "&", and knows by the button's English words
# whether to sign in or out.
_LEAVE_JS = """(said) => {
  const way = WORDS.includes(said) ? "/login/huggingface" : "/logout";
  const back = encodeURIComponent("/" + window.location.search);
  window.parent?.postMessage({type: "SET_SCROLLING", enabled: true}, "*");
  setTimeout(() => window.location.assign(`${way}?_target_url=${back}`), 500);
}"""

# Gradio's own words (upload areas, menus) follow navigator.language, so it is set before Gradio starts.
_SPEAK_SCRIPT = """<script>for (const [name, value] of [["language", "{0}"], ["languages", ["{0}"]]])
Object.defineProperty(navigator, name, {{get: () => value, configurable: true}});</script>"""


def leave_js(sign_in_words: str) -> str:
    """A click of the sign-in button: to the provider and back, or out; one address to return to, with its selection.

    sign_in_words: a JSON list of what the button says where it signs in.
    """
    return _LEAVE_JS.replace("WORDS", sign_in_words)


def html_in(html: bytes, language: str) -> bytes:
    """Gradio's page, marked as written in a language and speaking it; its template says English to everybody."""
    html = re.sub(rb'lang="en"', f'lang="{language}"'.encode(), html, count=1)
    return html.replace(b"<head>", b"<head>" + _SPEAK_SCRIPT.format(language).encode(), 1)


def tab_selector(tab_id: str) -> str:
    """The tab of this id (`gr.Tab(id=…)`), for querySelector."""
    return f'[role="tab"][data-tab-id="{tab_id}"]'


def closed_selector(elem_id: str) -> str:
    """What opens a closed accordion, for querySelector."""
    return f"#{elem_id} > button.label-wrap:not(.open)"


def save_js(elem_id: str) -> str:
    """Press a download button once its file is there: depending on it, the page has a link or a button."""
    return f"() => setTimeout(() => document.querySelector('#{elem_id} a, #{elem_id}')?.click(), 300)"

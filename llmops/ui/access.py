"""What Gradio's own components lack for keyboards and screen readers, mended from outside as they appear.

The search field of a table has only a tooltip for a name; tabs don't follow the arrow keys.
"""

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
    const tabs = [...all].filter((one) => one.offsetParent);
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    event.preventDefault();
    next.focus();
    next.click();
  });
}"""

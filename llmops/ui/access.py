"""What Gradio's own components lack for keyboards and screen readers, mended from outside as they appear.

The search field of a table has only a tooltip for a name.
"""

MEND_JS = """() => {
  const mend = () => {
    for (const field of document.querySelectorAll("input.search-input:not([aria-label])"))
      field.setAttribute("aria-label", field.title || field.placeholder);
  };
  mend();
  new MutationObserver(mend).observe(document.body, {childList: true, subtree: true});
}"""

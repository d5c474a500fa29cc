"""Tables that a click on a column's title sorts: by the value that each cell carries, not by how it is written."""

SORT_JS = """() => {
  const titles = "table.lo-sortable thead th";
  const ready = () => {
    for (const title of document.querySelectorAll(`${titles}:not([aria-sort])`)) {
      title.setAttribute("aria-sort", "none");
      title.tabIndex = 0;
    }
  };
  ready();
  new MutationObserver(ready).observe(document.body, {childList: true, subtree: true});
  const sort = (title) => {
    const place = [...title.parentNode.children].indexOf(title);
    const down = title.getAttribute("aria-sort") === "ascending";
    for (const other of title.parentNode.children) other.setAttribute("aria-sort", "none");
    title.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = title.closest("table").tBodies[0];
    const value = (row) => row.children[place].dataset.value ?? row.children[place].textContent;
    const compare = (one, other) => {
      const [a, b] = [value(one), value(other)];
      if (a === "" || b === "") return (a === "") - (b === "");
      const order = isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
      return down ? -order : order;
    };
    body.append(...[...body.rows].sort(compare));
  };
  document.addEventListener("click", (event) => {
    const title = event.target.closest?.(titles);
    if (title) sort(title);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    if (!event.target.matches?.(titles)) return;
    event.preventDefault();
    sort(event.target);
  });
}"""
"""Rows without a value stay last. A script of the page: the HTML report has none, and lists the worst first."""

"""Evaluations as HTML: tables, plots in SVG, and a report that stands alone. Pure; every foreign text is escaped."""

"""What stands around a plot: its key, a figure with both, and a file of its own that needs no page."""

from collections.abc import Sequence
from html import escape as _e
from pathlib import Path

from llmops.report.axis import Written, fitted
from llmops.report.marks import LOOKS, shape
from llmops.report.plot import BROAD, Canvas, Limit, Plot, Series, drawing, inner
from llmops.report.tables import untranslated

_DIR = Path(__file__).parent
_TITLE = 26  # units for the title of a file


def figure(plot: Plot, caption: str = "", below: str = "", has_key: bool = True) -> str:
    """The plot with its key under a caption (text), and what stands below (HTML); scrolls sideways where it has to."""
    title = f"<figcaption>{_e(caption)}</figcaption>" if caption else ""
    shown = drawing(plot)
    if plot.canvas.scrolls:
        label = _e(plot.title, quote=True)
        shown = f'<div class="lo-scroll" tabindex="0" role="group" aria-label="{label}">{shown}</div>'
    return f'<figure class="lo-plot-figure">{title}{key(plot.series) if has_key else ""}{shown}{below}</figure>'


def key(series: Sequence[Series]) -> str:
    """The name of each series beside its line or mark, in the order of their looks; nothing where none has a name."""
    named = sorted((shown for shown in series if shown.name), key=lambda shown: shown.look)
    names = "".join(f"<span{untranslated(shown.name)}>{_sample(shown)}{_e(shown.name)}</span>" for shown in named)
    return f'<p class="lo-keys">{names}</p>' if names else ""


def _sample(series: Series) -> str:
    dashed = "" if series.marks else " lo-dashed"
    line = f'<polyline class="lo-curve{dashed}" points="0,7 30,7"/>' if series.line else ""
    hollow = " lo-hollow" if series.hollow else ""
    mark = f'<path class="lo-mark{hollow}" d="{shape(series.look, 15, 7, 5)}"/>' if series.marks else ""
    look = f"lo-key lo-series-{series.look % LOOKS}"
    return f'<svg class="{look}" viewBox="0 0 30 14" aria-hidden="true">{line}{mark}</svg>'


def line_chart(
    title: str,
    axes: tuple[str, str],
    written: tuple[Written, Written],
    series: Sequence[Series],
    limits: Sequence[Limit] = (),
    canvas: Canvas = BROAD,
) -> str:
    """A figure of series whose y begins at 0; `axes` names x and y, `written` writes them. Empty where no point is."""
    marks = [mark for shown in series for mark in shown.marks]
    if not marks:
        return ""
    x = fitted(axes[0], [mark.x for mark in marks], written[0], scale="linear")
    y = fitted(axes[1], [0.0, *(mark.y for mark in marks)], written[1], scale="linear")
    drawn = tuple(shown for shown in series if shown.marks)
    return figure(Plot(title, x, y, drawn, tuple(limits), canvas=canvas), title)


def standalone(plot: Plot) -> str:
    """The plot as an SVG file: with its title, its own colours for light and dark, and a background."""
    width, height = plot.canvas.width, plot.canvas.height + _TITLE
    css = "".join((_DIR / name).read_text(encoding="utf-8") for name in ("plot.css", "theme.css"))
    title = _e(plot.title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{plot.canvas.css_class} lo-file" '
        f'viewBox="0 {-_TITLE} {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{_e(plot.title, quote=True)}"><title>{title}</title><style>{css}</style>'
        f'<rect class="lo-page" y="{-_TITLE}" width="{width}" height="{height}"/>'
        f'<text class="lo-heading" x="12" y="-8">{title}</text>{inner(plot)}</svg>\n'
    )

"""The book's figures: one style, colours with a meaning, and alt texts that cannot be forgotten."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from scour.scour import parse_args, scourString

# One meaning a colour, in the whole book, and colours that readers with any colour vision can tell apart: Okabe and
# Ito's vermillion, blue and bluish green (2008), Tol's wine (2021) where their purple is too faint on paper.
NAIVE = "#d55e00"
PATTERN = "#0072b2"
TRUTH = "#22272e"
OTHER = "#009e73"
SECOND = "#882255"
MUTED = "#7a828c"

PAPER = "#fbfaf7"
INK = "#22272e"

# Above this an SVG is larger than the same picture in pixels.
_LARGEST_SVG = 120_000
# Matplotlib writes an SVG with much room: the same picture takes three fifths of it.
_SMALLER = parse_args(
    [
        *("--enable-id-stripping", "--shorten-ids", "--enable-comment-stripping", "--remove-metadata"),
        *("--strip-xml-prolog", "--enable-viewboxing", "--indent=none", "--no-line-breaks"),
    ]
)


def use_style() -> None:
    """Set the book's matplotlib style. Call it once, at the top of a page.

    The paper is opaque and nearly white, so that a figure is legible on a light and on a dark page alike.
    """
    for font in sorted((Path(__file__).parent / "fonts").glob("*.ttf")):
        font_manager.fontManager.addfont(font)
    mpl.rcParams.update(
        {
            "figure.figsize": (7.2, 3.8),
            "figure.dpi": 110,
            "figure.facecolor": PAPER,
            "savefig.facecolor": PAPER,
            "axes.facecolor": PAPER,
            "figure.constrained_layout.use": True,
            "font.family": ["Source Sans Pro", "DejaVu Sans"],
            "font.size": 11,
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": MUTED,
            "axes.titlesize": 12.5,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.titlepad": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.prop_cycle": mpl.cycler(color=[PATTERN, NAIVE, OTHER, SECOND, MUTED]),
            "grid.color": "#dedcd5",
            "grid.linewidth": 0.7,
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.major.size": 0,
            "ytick.major.size": 0,
            "lines.linewidth": 2,
            "legend.frameon": False,
            # The same page gives the same bytes, run after run.
            "svg.hashsalt": "mlcourse",
            "svg.fonttype": "path",
        }
    )


class _Picture:
    """A figure as an HTML image that carries its alt text wherever it is shown."""

    def __init__(self, kind: str, content: bytes, alt: str, width: int) -> None:
        self.kind, self.content, self.alt, self.width = kind, content, alt, width

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        source = f"data:image/{self.kind};base64,{base64.b64encode(self.content).decode()}"
        return {
            "text/html": (
                f'<img class="mlcourse-figure" src="{source}" alt="{html.escape(self.alt)}" '
                f'width="{self.width}" style="max-width:100%;height:auto;border-radius:6px">'
            ),
            "text/plain": f"[figure: {self.alt}]",
        }


def show(figure: Figure, alt: str) -> None:
    """Show a figure with its alt text, as SVG where that is small and as PNG elsewhere, and close it.

    Parameters
    ----------
    figure
        A matplotlib figure.
    alt
        What the figure shows, for a reader who cannot see it: the finding, not "a plot".

    Raises
    ------
    ValueError
        If the alt text has fewer than four words.
    """
    alt = " ".join(alt.split())
    if len(alt.split()) < 4:
        raise ValueError(f"figures.show() needs an alt text that says what the figure shows, not {alt!r}")
    width = round(figure.get_figwidth() * 100)
    kind, content = "svg+xml", _saved(figure, "svg")
    if len(content) > _LARGEST_SVG:
        kind, content = "png", _saved(figure, "png")
    plt.close(figure)
    display(_Picture(kind, content, alt, width))


def _saved(figure: Figure, kind: str) -> bytes:
    stream = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(stream, format=kind, dpi=160, metadata=metadata)
    return scourString(stream.getvalue(), _SMALLER).encode() if kind == "svg" else stream.getvalue()


def label_lines(axes: Axes, gap: float = 0.0, names: Mapping[str, str] | None = None) -> None:
    """Write each line's label at its right end, in the line's colour, instead of a legend.

    The labels stay within the axes' height, and keep apart by a line of text at least.

    Parameters
    ----------
    axes
        Axes whose labelled lines get their names; set scales, limits and titles first.
    gap
        A distance of labels that looks better, as a share of the axes' height, where there is room for it.
    names
        Replaces labels by longer or shorter ones, by label.

    Raises
    ------
    ValueError
        If there are more labels than have room beside the axes.
    """
    axes.autoscale_view()
    labels = []
    for line in axes.get_lines():
        label = str(line.get_label())
        points = np.column_stack([np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)])
        points = points[np.isfinite(points).all(axis=1)]
        if label.startswith("_") or not len(points):
            continue
        x, y = axes.transAxes.inverted().transform(axes.transData.transform(points[-1]))
        text = axes.annotate(
            (names or {}).get(label, label),
            (max(x, 0) + 0.02, y),
            xycoords="axes fraction",
            color=line.get_color(),
            va="center",
            fontweight="bold",
            annotation_clip=False,
        )
        labels.append((y, text))
    if not labels:
        return
    labels.sort(key=lambda entry: entry[0])
    # How high a word is beside the axes is known once they have their place.
    axes.figure.canvas.figure.draw_without_rendering()
    height = max(text.get_window_extent().height for _, text in labels) / axes.bbox.height
    if len(labels) * height > 1:
        raise ValueError(f"{len(labels)} labels do not fit beside these axes: make the figure higher, or label fewer")
    gap = min(max(gap, height), (1 - height) / max(len(labels) - 1, 1))
    lowest, highest = height / 2, 1 - height / 2
    places = []
    for y, _ in labels:
        places.append(max(y, places[-1] + gap if places else lowest))
    # Names pushed above the axes come down again, those below them first keep their distance.
    for i in reversed(range(len(places))):
        places[i] = min(places[i], places[i + 1] - gap if i + 1 < len(places) else highest)
    for (_, text), y in zip(labels, places, strict=True):
        text.xy = text.xyann = (text.xy[0], y)


# The diagram's kinds of box: face, edge.
_KINDS = {
    "data": ("#e8eef4", PATTERN),
    "step": ("#ffffff", MUTED),
    "pattern": ("#d6e8f5", PATTERN),
    "naive": ("#fbe6d9", NAIVE),
    "result": ("#def1ea", OTHER),
}


def diagram(
    boxes: Mapping[str, tuple[float, float, str] | tuple[float, float, str, str]],
    arrows: Iterable[Sequence[str]] = (),
    *,
    title: str = "",
    box: tuple[float, float] = (1.7, 0.62),
    scale: float = 1.0,
) -> Figure:
    """Draw boxes and arrows in the book's one style.

    Parameters
    ----------
    boxes
        By name: ``(column, row, text)`` or ``(column, row, text, kind)``; columns go right, rows go
        down, in steps of one (fractions allowed); kind is data, step, pattern, naive or result.
    arrows
        ``(from, to)`` or ``(from, to, text)`` by the boxes' names.
    title
        What the diagram shows.
    box
        Width and height of a box in inches.
    scale
        Stretches the distance between columns, for labelled arrows.

    Raises
    ------
    ValueError
        If there is no box, a kind is unknown, or an arrow names a box that is not there.
    """
    if not boxes:
        raise ValueError("diagram() needs a box at least")
    for name, (_, _, _, *kind) in boxes.items():
        if kind and kind[0] not in _KINDS:
            raise ValueError(f"box '{name}' has kind {kind[0]!r}; allowed: {', '.join(_KINDS)}")
    arrows = list(arrows)
    for name in (name for arrow in arrows for name in arrow[:2]):
        if name not in boxes:
            raise ValueError(f"an arrow names '{name}'; the boxes are: {', '.join(boxes)}")
    across, down = (box[0] + 0.75) * scale, box[1] + 0.45
    places = {name: (spec[0] * across, -spec[1] * down) for name, spec in boxes.items()}
    xs, ys = zip(*places.values(), strict=True)
    left, right = min(xs) - box[0] / 2 - 0.15, max(xs) + box[0] / 2 + 0.15
    bottom, top = min(ys) - box[1] / 2 - 0.15, max(ys) + box[1] / 2 + (0.45 if title else 0.15)
    figure = plt.figure(figsize=(right - left, top - bottom), layout="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.axis("off")
    shapes = {}
    for name, (_, _, text, *kind) in boxes.items():
        face, edge = _KINDS[kind[0] if kind else "step"]
        x, y = places[name]
        shapes[name] = FancyBboxPatch(
            (x - box[0] / 2, y - box[1] / 2),
            *box,
            boxstyle="round,pad=0,rounding_size=0.09",
            facecolor=face,
            edgecolor=edge,
            linewidth=1.3,
        )
        axes.add_patch(shapes[name])
        axes.text(x, y, text, ha="center", va="center", fontsize=10.5, linespacing=1.25)
    for start, end, *text in arrows:
        axes.annotate(
            "",
            places[end],
            places[start],
            arrowprops={
                "arrowstyle": "-|>",
                "color": INK,
                "linewidth": 1.3,
                "patchA": shapes[start],
                "patchB": shapes[end],
                "shrinkA": 1,
                "shrinkB": 1,
            },
        )
        if text:
            (x0, y0), (x1, y1) = places[start], places[end]
            axes.text(
                (x0 + x1) / 2,
                (y0 + y1) / 2,
                text[0],
                ha="center",
                va="center",
                fontsize=9.5,
                color=INK,
                bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.5},
            )
    if title:
        axes.text(left + 0.15, top - 0.12, title, fontweight="bold", fontsize=12.5, va="top")
    return figure

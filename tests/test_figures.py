"""Figures: alt texts that cannot be forgotten, pictures as small as they can be, labels that keep apart."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mlcourse import figures

ALT = "The blue line rises above the red one."


@pytest.fixture(autouse=True)
def style() -> Iterator[None]:
    with mpl.rc_context():
        mpl.use("agg")
        figures.use_style()
        yield
        plt.close("all")


def picture(monkeypatch: pytest.MonkeyPatch, figure: Figure, alt: str = ALT) -> tuple[dict[str, str], bytes]:
    """The attributes of the image that show() displays, and its content."""
    displayed = []
    monkeypatch.setattr(figures, "display", displayed.append)
    figures.show(figure, alt=alt)
    (shown,) = displayed
    (image,) = BeautifulSoup(shown._repr_mimebundle_()["text/html"], "html.parser").find_all("img")
    kind, _, content = image["src"].removeprefix("data:image/").partition(";base64,")
    return {**image.attrs, "kind": kind}, base64.b64decode(content)


def lines(width: float = 7.2) -> Figure:
    figure, axes = plt.subplots(figsize=(width, 3.8))
    axes.plot([1, 2, 3], [1, 4, 9], label="rises")
    axes.set(title="It rises", xlabel="steps", ylabel="height (m)")
    return figure


def cloud(points: int) -> Figure:
    figure, axes = plt.subplots()
    axes.scatter(*np.random.default_rng(0).normal(size=(2, points)), s=4)
    return figure


# ------------------------------------------------------------------------------------------------ show


def test_a_figure_carries_its_alt_text_and_its_width(monkeypatch) -> None:
    alt = 'Loss <b>falls</b>,\n   "fast" & for good.'
    image, _ = picture(monkeypatch, lines(width=5), alt)
    assert image["alt"] == 'Loss <b>falls</b>, "fast" & for good.'
    assert image["width"] == "500"
    assert "max-width:100%" in image["style"]


@pytest.mark.parametrize("alt", ["", "   ", "a plot", "Loss by step"])
def test_a_figure_without_words_is_refused(monkeypatch, alt: str) -> None:
    with pytest.raises(ValueError, match="needs an alt text that says what the figure shows"):
        picture(monkeypatch, lines(), alt)
    with pytest.raises(TypeError, match="alt"):
        figures.show(lines())


def test_few_marks_are_drawn_as_svg_and_many_as_pixels(monkeypatch) -> None:
    image, content = picture(monkeypatch, lines())
    assert image["kind"] == "svg+xml"
    assert ET.fromstring(content).tag.endswith("svg")
    assert b"<dc:date>" not in content
    image, content = picture(monkeypatch, cloud(20_000))
    assert image["kind"] == "png"
    assert content.startswith(b"\x89PNG")
    assert len(content) < 300_000


def test_an_svg_draws_what_matplotlib_drew_in_less_room(monkeypatch) -> None:
    figure = lines()
    stream = io.BytesIO()
    figure.savefig(stream, format="svg")
    written = stream.getvalue()
    _, content = picture(monkeypatch, figure)

    def letters_and_marks(svg: bytes) -> int:
        return sum(element.tag.endswith("}use") for element in ET.fromstring(svg).iter())

    assert len(content) < 0.7 * len(written)
    assert letters_and_marks(content) == letters_and_marks(written)
    assert ET.fromstring(content).get("viewBox") == ET.fromstring(written).get("viewBox")


def test_a_figure_is_closed_once_it_is_shown(monkeypatch) -> None:
    before = plt.get_fignums()
    for figure in (lines(), cloud(20_000), figures.diagram({"a": (0, 0, "A")})):
        picture(monkeypatch, figure)
    assert plt.get_fignums() == before


@pytest.mark.parametrize("make", [lines, lambda: cloud(20_000), lambda: figures.diagram({"a": (0, 0, "A")}, title="T")])
def test_the_same_figure_gives_the_same_bytes(monkeypatch, make) -> None:
    assert picture(monkeypatch, make()) == picture(monkeypatch, make())


def test_the_same_figure_gives_the_same_bytes_in_another_process(monkeypatch) -> None:
    script = f"""if True:
        import base64, hashlib, matplotlib, re
        matplotlib.use("agg")
        import matplotlib.pyplot as plt
        from mlcourse import figures
        figures.use_style()
        figure, axes = plt.subplots(figsize=(7.2, 3.8))
        axes.plot([1, 2, 3], [1, 4, 9], label="rises")
        axes.set(title="It rises", xlabel="steps", ylabel="height (m)")
        def display(shown):
            page = shown._repr_mimebundle_()["text/html"]
            print(hashlib.sha256(base64.b64decode(re.search(r"base64,([^\\"]+)", page)[1])).hexdigest())
        figures.display = display
        figures.show(figure, {ALT!r})
    """
    env = os.environ | {"PYTHONHASHSEED": "7"}
    there = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    _, content = picture(monkeypatch, lines())
    assert there.stdout.strip() == hashlib.sha256(content).hexdigest()


# ------------------------------------------------------------------------------------------------ label_lines


def labelled(ends: list[float], scale: str = "linear", height: float = 3.8, **options: object) -> Axes:
    """Axes with a line to each of ``ends``, labelled and drawn."""
    _, axes = plt.subplots(figsize=(7.2, height))
    for number, end in enumerate(ends):
        axes.plot([1, 2, 3], [0.1, end / 2 + 0.01, end], label=f"line {number}, gym")
    axes.set(yscale=scale, title="Lines and their names", xlabel="steps", ylabel="height (m)")
    figures.label_lines(axes, **options)
    axes.figure.canvas.draw()
    return axes


@pytest.mark.parametrize(
    ("ends", "options"),
    [
        ([0.2, 0.9], {}),
        ([1, 1, 1, 1, 1], {}),
        ([0, 0, 0, 0], {}),
        ([0, 0.01, 0.5, 0.99, 1, 1], {}),
        ([0.5] * 8, {}),
        ([0.5] * 12, {}),
        ([1e-4, 1e-4, 1, 1], {"scale": "log"}),
        ([1, 1, 1], {"height": 2.2}),
        ([1, 1, 0.95, 0.1], {"gap": 0.08}),
        ([1] * 6, {"gap": 0.5}),
    ],
)
def test_labels_keep_apart_and_within_the_axes(ends, options) -> None:
    axes = labelled(ends, **options)
    frame, paper = axes.get_window_extent(), axes.figure.bbox
    boxes = sorted((text.get_window_extent() for text in axes.texts), key=lambda box: box.y0)
    assert len(boxes) == len(ends)
    for below, above in itertools.pairwise(boxes):
        assert above.y0 - below.y1 > -1, "a pixel may be lost in rounding"
    for box in boxes:
        assert frame.y0 - 1 < box.y0
        assert box.y1 < frame.y1 + 1
        assert box.x1 <= paper.x1, "not cut off on the right"
        assert box.x0 > frame.x0 + 0.9 * frame.width, "at the line's right end"


def test_labels_stand_in_the_lines_order_and_colours() -> None:
    ends = [0.3, 0.9, 0.1, 0.31]
    axes = labelled(ends)
    by_height = sorted(axes.texts, key=lambda text: text.get_window_extent().y0)
    assert [text.get_text() for text in by_height] == [f"line {n}, gym" for n in np.argsort(ends)]
    colours = {line.get_label(): line.get_color() for line in axes.get_lines()}
    assert all(text.get_color() == colours[text.get_text()] for text in axes.texts)


def test_a_label_with_room_stands_at_its_lines_end() -> None:
    axes = labelled([0.2, 0.9])
    for text, line in zip(axes.texts, axes.get_lines(), strict=True):
        box = text.get_window_extent()
        assert (box.y0 + box.y1) / 2 == pytest.approx(axes.transData.transform(line.get_xydata()[-1])[1], abs=2)


def test_lines_without_a_name_get_none_and_names_can_be_replaced() -> None:
    _, axes = plt.subplots()
    axes.plot([1, 2], [1, 2], label="short")
    axes.plot([1, 2], [2, 1])
    axes.plot([], [], label="empty")
    axes.plot([1, 2, 3], [1, 1.5, np.nan], label="ends early")
    figures.label_lines(axes, names={"short": "a longer name"})
    assert sorted(text.get_text() for text in axes.texts) == ["a longer name", "ends early"]
    figures.label_lines(plt.subplots()[1])


def test_more_labels_than_have_room_are_refused() -> None:
    with pytest.raises(ValueError, match="40 labels do not fit beside these axes: make the figure higher"):
        labelled([1] * 40)


# ------------------------------------------------------------------------------------------------ diagram


def test_a_diagram_shows_its_boxes_arrows_and_title() -> None:
    figure = figures.diagram(
        {"a": (0, 0, "Rows", "data"), "b": (1, 0, "Hash"), "c": (1, 1, "Model", "pattern")},
        [("a", "b"), ("b", "c", "buckets")],
        title="From rows to a model",
    )
    (axes,) = figure.axes
    words = sorted(text.get_text() for text in axes.texts if text.get_text())
    assert words == ["From rows to a model", "Hash", "Model", "Rows", "buckets"]
    assert len(axes.patches) == 3
    figure.canvas.draw()
    for text in axes.texts:
        box = text.get_window_extent()
        assert 0 <= box.x0 <= box.x1 <= figure.bbox.x1
        assert 0 <= box.y0 <= box.y1 <= figure.bbox.y1


@pytest.mark.parametrize(
    ("boxes", "arrows", "said"),
    [
        ({}, [], "diagram() needs a box at least"),
        ({"a": (0, 0, "A", "odd")}, [], "box 'a' has kind 'odd'; allowed: data, step, pattern, naive, result"),
        ({"a": (0, 0, "A"), "b": (1, 0, "B")}, [("a", "c")], "an arrow names 'c'; the boxes are: a, b"),
        ({"a": (0, 0, "A"), "b": (1, 0, "B")}, [("x", "a", "text")], "an arrow names 'x'; the boxes are: a, b"),
    ],
)
def test_a_diagram_that_does_not_fit_together_is_refused(boxes, arrows, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        figures.diagram(boxes, arrows)
    assert plt.get_fignums() == []


# ------------------------------------------------------------------------------------------------ the palette

COLOURS = ("NAIVE", "PATTERN", "TRUTH", "OTHER", "SECOND", "MUTED")
# What is left of linear RGB for those who lack one kind of cone (Machado, Oliveira and Fernandes 2009).
SIGHT = {
    "full": np.eye(3),
    "without red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "without green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "without blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b*, in which about 2 is the least difference that one sees, and 10 is seen at a glance."""
    share = XYZ @ np.clip(rgb, 0, 1) / [0.95047, 1, 1.08883]
    x, y, z = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHT)
def test_any_two_colours_differ_for_any_colour_vision(sight: str) -> None:
    seen = {name: lab(np.array(SIGHT[sight]) @ linear(getattr(figures, name))) for name in COLOURS}
    distances = {(a, b): np.linalg.norm(seen[a] - seen[b]) for a, b in itertools.combinations(seen, 2)}
    assert {pair: distance for pair, distance in distances.items() if distance < 15} == {}


@pytest.mark.parametrize("name", [*COLOURS, "INK"])
def test_every_colour_stands_out_from_the_paper(name: str) -> None:
    """Contrast of 3 for graphics, of 4.5 for words (WCAG 2.2)."""
    paper, colour = ((XYZ @ linear(value))[1] + 0.05 for value in (figures.PAPER, getattr(figures, name)))
    assert paper / colour > (4.5 if name == "INK" else 3)


def test_lines_are_coloured_by_the_palette_and_the_paper_is_opaque() -> None:
    colours = [getattr(figures, name) for name in ("PATTERN", "NAIVE", "OTHER", "SECOND", "MUTED")]
    assert mpl.rcParams["axes.prop_cycle"].by_key()["color"] == colours
    assert mpl.rcParams["figure.facecolor"] == mpl.rcParams["savefig.facecolor"] == figures.PAPER

"""Figures, pictures and tables as files: what is inside them is what was given."""

import dataclasses
import io
import json
import struct
import zlib

import numpy as np
import pytest

from runbench import media
from runbench.values import NotRecordable


def pixels_of(png: bytes) -> np.ndarray:
    """What our own writer put into a PNG, by the letter of the format."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, data, head = 8, b"", b""
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length)[0] == zlib.crc32(kind + body)
        head = body if kind == b"IHDR" else head
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    width, height, depth, colour = struct.unpack_from(">IIBB", head)
    assert depth == 8
    colours = {0: 1, 4: 2, 2: 3, 6: 4}[colour]
    lines = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + width * colours)
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(height, width, colours)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 2), (5, 7, 3), (5, 7, 4), (3, 5, 7)])
def test_arrays_become_png_bit_for_bit(shape):
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    name, content = media.image(array, "picture")
    assert name == "picture.png"
    upright = array.transpose(1, 2, 0) if shape == (3, 5, 7) else array
    assert (pixels_of(content) == upright.reshape(5, 7, -1)).all()


def test_numbers_of_all_kinds_become_colours():
    floats = np.array([[0.0, 0.5, 1.0], [np.nan, -1.0, 7.0]])
    assert pixels_of(media.image(floats, "x.png")[1])[:, :, 0].tolist() == [
        [0, 128, 255],
        [0, 0, 255],
    ]
    assert pixels_of(media.image([[True, False]], "x")[1])[:, :, 0].tolist() == [[255, 0]]
    assert pixels_of(media.image([[300, -3]], "x")[1])[:, :, 0].tolist() == [[255, 0]]
    for wrong in (np.zeros((0, 4)), np.zeros((5, 5, 5)), [["a"]], np.zeros(3)):
        with pytest.raises(NotRecordable):
            media.image(wrong, "x")


TABLES = [
    ({"x": [1, 2], "y": ["a", None]}, None),
    ([{"x": 1, "y": "a"}, {"x": 2}], None),
    ([(1, "a"), (2, None)], ["x", "y"]),
]


@pytest.mark.parametrize(("given", "columns"), TABLES)
def test_tables_arrive_by_whatever_they_are_given(given, columns, monkeypatch):
    assert media.table(given, "t.csv", columns) == ("t.csv", b"x,y\n1,a\n2,\n")
    name, content = media.table(given, "t.json", columns)
    assert json.loads(content) == [{"x": 1, "y": "a"}, {"x": 2, "y": None}]
    parquet = pytest.importorskip("pyarrow.parquet")
    name, content = media.table(given, "t", columns)
    assert name == "t.parquet"
    read = parquet.read_table(io.BytesIO(content))
    assert read.to_pydict() == {"x": [1, 2], "y": ["a", None]}
    assert media.table(read, "t.csv", None)[1] == b"x,y\n1,a\n2,\n"
    assert parquet.read_table(io.BytesIO(media.table(read, "again", None)[1])) == read
    monkeypatch.setattr(media, "_has_pyarrow", lambda: False)
    assert media.table(given, "t", columns)[0] == "t.csv"
    with pytest.raises(NotRecordable, match="needs pyarrow"):
        media.table(given, "t.parquet", columns)


def test_a_column_of_several_kinds_loses_nothing():
    parquet = pytest.importorskip("pyarrow.parquet")
    mixed = {"x": [1, "two", {"three": 3}, None], "n": np.arange(4.0)}
    read = parquet.read_table(io.BytesIO(media.table(mixed, "t", None)[1])).to_pydict()
    assert read["n"] == [0.0, 1.0, 2.0, 3.0]
    assert read["x"] == ["1", "two", '{\n "three": 3\n}', None]


@pytest.mark.parametrize("given", [[[1, 2]], {"x": [1], "y": [1, 2]}, 7])
def test_what_is_no_table_is_said(given):
    with pytest.raises((NotRecordable, TypeError)):
        media.table(given, "t.csv", None)


def test_json_takes_what_python_has_beside_it():
    @dataclasses.dataclass
    class Point:
        x: float

    given = {"p": Point(float("inf")), "a": np.array([[1, 2]]), "s": {1}, 3: np.float32(0.5)}
    assert json.loads(media.json_bytes(given)) == {
        "p": {"x": "Infinity"},
        "a": [[1, 2]],
        "s": [1],
        "3": 0.5,
    }


class Drawing:
    """What matplotlib's figures and axes can do, as far as it matters."""

    def savefig(self, file, format, **_):
        file.write(format.encode())


class Axes:
    figure = Drawing()


class Plot:
    def __init__(self, text):
        self.text = text

    def to_json(self):
        return self.text

    def to_html(self):
        return "<html>"


def test_figures_become_what_their_name_says():
    assert media.figure(Drawing(), "loss") == ("loss.png", b"png")
    assert media.figure(Drawing(), "loss.svg") == ("loss.svg", b"svg")
    assert media.figure(Axes(), "v1.2") == ("v1.2.png", b"png")
    assert media.figure(Plot('{"data": []}'), "p") == ("p.plotly.json", b'{"data": []}')
    assert media.figure(Plot("{}"), "p.json")[0] == "p.json"
    assert media.figure(Plot("{}"), "p.html") == ("p.html", b"<html>")
    vega = '{"$schema": "https://vega.github.io/schema/vega-lite/v6.json"}'
    assert media.figure(Plot(vega), "p")[0] == "p.vl.json"


def test_figures_and_frames_of_the_libraries_themselves():
    pyplot = pytest.importorskip("matplotlib.figure")
    figure = pyplot.Figure()
    figure.subplots().plot([1, 2])
    assert media.figure(figure, "a")[1].startswith(b"\x89PNG")
    assert b"<svg" in media.figure(figure.axes[0], "a.svg")[1]
    plotly = pytest.importorskip("plotly.graph_objects")
    name, content = media.figure(plotly.Figure(plotly.Scatter(y=[1, 2])), "p")
    assert (name, set(json.loads(content))) == ("p.plotly.json", {"data", "layout"})
    altair = pytest.importorskip("altair")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": [1, 2], "y": ["a", None]})
    assert media.figure(altair.Chart(frame).mark_point().encode(x="x"), "v")[0] == "v.vl.json"
    polars = pytest.importorskip("polars")
    parquet = pytest.importorskip("pyarrow.parquet")
    for given in (frame, polars.DataFrame({"x": [1, 2], "y": ["a", None]})):
        read = parquet.read_table(io.BytesIO(media.table(given, "t", None)[1]))
        assert read.to_pydict() == {"x": [1, 2], "y": ["a", None]}
        assert media.table(given, "t.csv", None)[1] == b"x,y\n1,a\n2,\n"
    named = media.table(frame.set_index("y"), "t.csv", None)[1]
    assert named == b"y,x\na,1\n,2\n"
    image = pytest.importorskip("PIL.Image")
    name, content = media.image(image.new("RGB", (2, 2)), "i")
    assert (name, content[:4]) == ("i.png", b"\x89PNG")
    assert media.image(image.new("RGB", (2, 2)), "i.jpg")[1][:2] == b"\xff\xd8"

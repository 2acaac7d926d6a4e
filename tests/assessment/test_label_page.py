"""The page on which a sample is filled in: what it has, what it does not have, and its size."""

import base64
import io
import json
import re

import numpy as np
import pytest
import rasterio
from PIL import Image

from mtl_hsi.assessment import label_page
from mtl_hsi.report import colours
from mtl_hsi.scenes.scene import Georeference
from tests.assessment.maps import MAP, UTM, draw, read, write_map


def write_image(path, place=UTM, shape=MAP.shape, bands=6):
  """Writes an image whose values are 100 * row + column + 1000 * band; the last row has none."""
  rows, columns = np.indices(shape)
  values = np.stack([100 * rows + columns + 1000 * band + 1 for band in range(bands)]).astype(np.uint16)
  values[:, -1] = 0
  if place is None:
    np.save(path, np.moveaxis(values, 0, -1))
    return path
  keys = {"crs": place.crs, "transform": rasterio.Affine(*place.transform)}
  with rasterio.open(
    path, "w", driver="GTiff", height=shape[0], width=shape[1], count=bands, dtype="uint16", nodata=0, **keys
  ) as raster:
    raster.write(values)
    for band in range(bands):
      raster.update_tags(band + 1, wavelength=str(450 + 50 * band), wavelength_units="nm")
  return path


def draw_page(place, image, **keys) -> tuple[str, dict]:
  """Draws a sample with a page; returns the page and its data."""
  outcome = draw(write_map(place / "map.tif"), image=image, size=40, floor=10, **keys)
  assert (outcome.status, outcome.err) == (0, "")
  text = (place / "map_label.html").read_text()
  return text, json.loads(re.search(r'<script type="application/json">(.*?)</script>', text)[1])


def picture(unit: dict) -> np.ndarray:
  return np.asarray(Image.open(io.BytesIO(base64.b64decode(unit["chip"]))))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
  """Directory, page and data of a sample with an image on the grid of the map."""
  place = tmp_path_factory.mktemp("page")
  return place, *draw_page(place, write_image(place / "image.tif"), further_classes="ice <b>")


def test_the_rows_are_those_of_the_table(drawn):
  place, _, data = drawn
  rows = read(place / "map_sample.csv")
  assert [dict(zip(data["head"], cells, strict=True)) for cells in data["rows"]] == [
    {key: cell for key, cell in row.items() if key not in ("class", "note")} for row in rows
  ]
  assert (data["table"], data["count"], len(data["units"])) == ("map_sample.csv", 40, 40)


def test_chips_show_the_surroundings_of_their_unit(drawn):
  _, _, data = drawn
  for cells, unit in zip(data["rows"], data["units"], strict=True):
    row, column = int(cells[1]), int(cells[2])
    chip = picture(unit)
    # Without the last row, which has no measurement.
    rows, columns = np.indices((41, 41)) - 20 + [[[row]], [[column]]]
    measured = (rows >= 0) & (rows < 19) & (columns >= 0) & (columns < 30)
    assert (chip[~measured] == colours.NO_DATA).all()
    levels = chip[measured][np.argsort((100 * rows + columns)[measured])].astype(int)
    assert (np.diff(levels, axis=0) >= 0).all()
    assert np.ptp(levels) > 200
    assert np.array(unit["outline"])[[0, 2]] == pytest.approx(np.array([[20, 20], [21, 21]]) / 41, abs=1e-4)
    assert unit["place"] == pytest.approx([(column + 0.5) / 30, (row + 0.5) / 20], abs=1e-4)


def test_spectra_are_those_of_the_unit(drawn):
  _, _, data = drawn
  assert data["axis"] == {"name": "wavelength", "unit": "nm", "values": [450.0 + 50 * i for i in range(6)]}
  for cells, unit in zip(data["rows"], data["units"], strict=True):
    row, column = int(cells[1]), int(cells[2])
    expected = [float(f"{100 * row + column + 1000 * band + 1:.4g}") for band in range(6)]
    assert unit["spectrum"] == (None if row == 19 else expected)


def test_classes_have_their_digit_as_key_and_others_a_letter(drawn):
  _, _, data = drawn
  assert [(c["key"], c["cell"], c["label"]) for c in data["classes"]] == [
    *[("1", "1", "corn"), ("2", "2", "soy"), ("5", "5", "water")],
    ("a", "ice <b>", "ice <b>"),
  ]


def test_nothing_tells_the_class_in_the_map(drawn):
  _, text, data = drawn
  assert set(data["units"][0]) == {"chip", "outline", "place", "spectrum"}
  assert data["head"] == ["id", "row", "column", "x", "y", "lon", "lat"]
  assert "class in the map is not shown" in text


def test_the_page_needs_no_network_and_escapes_text(drawn):
  _, text, _ = drawn
  assert not re.findall(r'(?:src|href)="(?!data:image/png;base64,)', text)
  assert "ice &lt;b&gt;" in text
  assert "ice <b>" not in text
  assert "default-src 'none'; script-src 'sha256-" in text


def test_squares_are_outlined_and_have_more_surroundings(tmp_path):
  _, data = draw_page(tmp_path, write_image(tmp_path / "image.tif"), unit_side=3)
  assert picture(data["units"][0]).shape == (41, 41, 3)
  outline = np.array(data["units"][0]["outline"])
  assert np.ptp(outline, axis=0) == pytest.approx([3 / 41, 3 / 41], abs=1e-3)


def test_an_image_on_another_grid_is_matched_by_its_georeference(tmp_path):
  # Pixels of half the size that begin 10 rows above and 20 columns left of the map.
  place = Georeference(UTM.crs, (2.0, 0.0, 500_000.0 - 40, 0.0, -2.0, 5_300_000.0 + 20))
  _, data = draw_page(tmp_path, write_image(tmp_path / "sharp.tif", place, (60, 90)))
  for cells, unit in zip(data["rows"], data["units"], strict=True):
    row, column = 10 + 2 * int(cells[1]) + 1, 20 + 2 * int(cells[2]) + 1
    assert unit["spectrum"][0] == float(f"{100 * row + column + 1:.4g}")
    assert np.ptp(unit["outline"], axis=0) == pytest.approx([2 / 41, 2 / 41], abs=1e-3)


def test_an_image_in_another_system(tmp_path):
  # Half a degree around the map, in pixels of about 11 m and 8 m.
  place = Georeference("EPSG:4326", (1e-4, 0.0, 14.99, 0.0, -1e-4, 47.86))
  _, data = draw_page(tmp_path, write_image(tmp_path / "degrees.tif", place, (200, 300)))
  lon, lat = (data["head"].index(name) for name in ("lon", "lat"))
  for cells, unit in zip(data["rows"], data["units"], strict=True):
    row, column = (47.86 - float(cells[lat])) * 1e4, (float(cells[lon]) - 14.99) * 1e4
    assert unit["spectrum"][0] == pytest.approx(100 * int(row) + int(column) + 1, abs=0.5)


def test_an_image_of_three_bands_is_shown_as_it_is_and_has_no_spectra(tmp_path):
  image = write_image(tmp_path / "photo.npy", place=None, bands=3)
  text, data = draw_page(tmp_path, image)
  assert "Red, green and blue are bands 0, 1, 2, counted" in text
  assert {unit["spectrum"] for unit in data["units"]} == {None}
  assert 'class="spectrum"' not in text


def test_bands_can_be_chosen(tmp_path):
  text, _ = draw_page(tmp_path, write_image(tmp_path / "image.tif"), image_bands="5, 2,2")
  assert "bands 5 (700 nm), 2 (550 nm), 2 (550 nm), counted" in text


def test_a_page_that_would_be_too_large_has_the_first_units(tmp_path, monkeypatch):
  monkeypatch.setattr(label_page, "MOST_BYTES", 100_000)
  text, data = draw_page(tmp_path, write_image(tmp_path / "image.tif"))
  assert "This page has the first 12 of 40 units." in text
  assert (len(data["units"]), len(data["rows"]), data["count"]) == (12, 12, 40)
  assert len(read(tmp_path / "map_sample.csv")) == 40


def refused(place, text, **keys):
  outcome = draw(write_map(place / "map.tif"), size=40, floor=10, **keys)
  assert (outcome.status, outcome.err.count("\n")) == (2, 1)
  assert text in outcome.err
  assert not list(place.glob("map_*"))


def test_images_that_cannot_be_used_are_refused(tmp_path):
  image = write_image(tmp_path / "image.tif")
  refused(tmp_path, "image_bands is 0,1,6; ", image=image, image_bands="0,1,6")
  refused(tmp_path, "config key image_bands is '1,2'", image=image, image_bands="1,2")
  refused(tmp_path, "config key further_classes is 'ice'", further_classes="ice")
  refused(tmp_path, "further_classes has 'Soy', which is a class", image=image, further_classes="Soy")
  refused(tmp_path, "missing.tif", image=tmp_path / "missing.tif")
  other = write_image(tmp_path / "other.npy", None, (21, 30))
  refused(tmp_path, "has 21 x 30 pixels, the map 20 x 30", image=other)
  away = Georeference(UTM.crs, (4.0, 0.0, 700_000.0, 0.0, -4.0, 5_300_000.0))
  refused(tmp_path, "shows no unit of the sample", image=write_image(tmp_path / "away.tif", away))
  fine = Georeference(UTM.crs, (4.0, 0.0, 500_000.0, 0.0, -1 / 256, 5_300_000.0))
  refused(tmp_path, "1024 pixels wide", image=write_image(tmp_path / "fine.tif", fine, (20480, 30), 1))

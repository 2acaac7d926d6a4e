"""The viewer in a headless Chromium, on a scene of 4 x 5 pixels."""

import dataclasses

import numpy as np
import pytest

from mtl_hsi.report import colours, page
from mtl_hsi.scenes.scene import Georeference
from tests.report import browsing

_HOSTILE = "</script><img src=x onerror=alert(1)>\"'&"


@pytest.fixture
def text(run, fields, fields_report):
  """The page of one scene with hostile names, a wrong pixel, one without measurement and georeference."""
  nodata = fields.labels == 0
  scene = dataclasses.replace(
    fields,
    class_names={2: _HOSTILE, 5: "<b>Wald</b>", 9: "Roof"},
    nodata=nodata,
    wavelengths=np.array([450.0, 550.0, 650.0]),
    georeference=Georeference("EPSG:32632", (10.0, 0.0, 500000.0, 0.0, -10.0, 5000000.0)),
  )
  prediction = fields_report.prediction.copy()
  prediction[1, 2] = 9
  share, probability = np.full(prediction.shape, 1, np.float32), np.full(prediction.shape, 0.9, np.float16)
  share[1, 2], probability[1, 2] = 0.4, 0.25
  report = dataclasses.replace(
    fields_report, scene=scene, prediction=prediction, vote_share=share, probability=probability, snapshots=5
  )
  return page.render(dataclasses.replace(run, scenes=[report], losses=None, name=_HOSTILE))


def test_the_page_loads_and_hostile_names_stay_text(opened):
  found = opened.ask(
    """
    return [document.querySelector("h1").textContent, root.querySelectorAll("img, b").length,
      getComputedStyle(document.querySelector(".maps")).display, find("[data-class='1'] .name").textContent];
    """
  )
  assert found == [_HOSTILE, 0, "none", f"2  {_HOSTILE}"]


def test_hover_shows_classes_confidence_and_spectrum(opened):
  opened.point(1, 2, 4, 5)
  found = opened.ask(
    """
    const fields = ["truth", "prediction", "confidence", "votes", "use"];
    return [find(".place").textContent, ...fields.map(shown)];
    """
  )
  assert found == [
    "Row 1, column 2; x 500025, y 4999985 (EPSG:32632): 9  Roof",
    *(f"2  {_HOSTILE}", "9  Roof", "25%", "40% of the snapshots", "test pixel"),
  ]
  axis = "return [...root.querySelectorAll('.inspector text')].map((text) => text.textContent);"
  assert opened.ask(axis)[3:] == ["450", "650", "wavelength (nm)"]
  line = opened.ask("return find('.inspector .line').getAttribute('d');")
  # The pixel's values 21, 22, 23 rise by one each, at equal distances of wavelength.
  (x0, y0), (x1, y1), (x2, y2) = (map(float, p.split(",")) for p in line[1:].split("L"))
  assert x1 - x0 == pytest.approx(x2 - x1)
  assert y0 - y1 == pytest.approx(y1 - y2, abs=0.8)
  assert y0 > y1 > y2


def test_a_pixel_without_measurement_has_neither_confidence_nor_spectrum(opened):
  opened.point(3, 4, 4, 5)
  found = opened.ask(
    "return [shown('use'), shown('confidence'), find('.inspector svg').hasAttribute('hidden')];"
  )
  assert found == ["no measurement", "none", True]


def test_spectrum_has_the_pixels_values(opened, fields):
  found = opened.ask(
    "return spectrumAt(JSON.parse(find('script').textContent), await readSpectra("
    "JSON.parse(find('script').textContent).spectra), 2, 1).values;"
  )  # fmt: skip
  np.testing.assert_allclose(found, fields.cube[2, 1], atol=54 / 255)


def test_layers_opacity_and_legend_change_what_is_drawn(opened):
  found = opened.ask(
    """
    const [x, y] = middle(1, 2, 4, 5), slider = find("input[type=range]"), drawn = {};
    const layer = (name) => find(`input[value=${name}]`).click();
    const slide = (value) => { slider.value = value; slider.dispatchEvent(new Event("input")); };
    slide(100);
    for (const name of ["truth", "prediction", "confidence", "errors"]) {
      layer(name);
      drawn[name] = colour(x, y);
    }
    layer("prediction");
    slide(0);
    drawn.clear = colour(x, y);
    layer("none");
    slide(100);
    drawn.none = colour(x, y);
    layer("prediction");
    const roof = find("[data-class='3']");
    roof.click();
    drawn.hidden = colour(x, y);
    drawn.pressed = roof.getAttribute("aria-pressed");
    roof.click();
    drawn.again = colour(x, y);
    find("[data-do=no]").click();
    drawn.no = colour(x, y);
    drawn.output = find("output").textContent;
    drawn.key = [...root.querySelectorAll(".key")].filter((key) => !key.hidden).length;
    return drawn;
    """,
  )
  truth, roof = list(colours.class_colour(0)), list(colours.class_colour(2))
  assert (found["truth"], found["prediction"], found["errors"]) == (truth, roof, list(colours.WRONG))
  np.testing.assert_allclose(found["confidence"], (59, 82, 139), atol=2)  # a quarter of the way up
  assert found["clear"] == found["none"] == found["hidden"] == found["no"]
  assert found["clear"] not in (truth, roof)
  assert (found["pressed"], found["again"]) == ("false", roof)
  assert (found["output"], found["key"]) == ("100%", 0)


def test_keyboard_alone_reaches_the_map_moves_its_cursor_zooms_and_pans(opened):
  seen = []
  opened.run("document.querySelector('[data-do=whole]').focus();")
  opened.press("Tab", "ArrowDown")
  seen.append(opened.ask("return [document.activeElement === canvas, place()];"))
  assert "solid" in opened.ask("return getComputedStyle(canvas).outlineStyle;")
  opened.press("ArrowLeft", "ArrowUp")
  seen.append(opened.ask("return place();"))
  opened.press(*["ArrowUp"] * 4)
  seen.append(opened.ask("return place();"))
  assert seen == [[True, "Row 2, column 2"], "Row 1, column 1", "Row 0, column 1"]
  corner = "return colour(canvas.clientWidth - 3, canvas.clientHeight - 3);"
  opened.ask("find('[data-do=no]').click(); canvas.focus();")
  before = opened.ask(corner)
  opened.press("+", "+", "+")
  assert opened.ask(corner) != before
  opened.press(*["ArrowDown"] * 5, *["ArrowRight"] * 5, "ArrowUp", "ArrowLeft")
  assert opened.ask(corner) == list(colours.NO_DATA), "the view follows the cursor"
  opened.press("0")
  assert opened.ask(corner) == before


def test_shift_and_arrows_pan(opened):
  found = opened.ask(
    """
    const [x, y] = [canvas.clientWidth / 2, canvas.clientHeight / 2];
    find("[data-do=in]").click();
    event("pointermove", x, y);
    const seen = [place()];
    for (const key of ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown"])
      canvas.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: true }));
    event("pointermove", x, y);
    return [...seen, place()];
    """
  )
  assert found == ["Row 2, column 2", "Row 2, column 3"]


def test_mouse_zooms_at_its_place_drags_and_two_fingers_pinch(opened):
  found = opened.ask(
    """
    const [x, y] = middle(2, 1, 4, 5), seen = [];
    const passed = event("wheel", x, y, { deltaY: 200 }), taken = event("wheel", x, y, { deltaY: -200 });
    event("pointermove", x, y); seen.push(place());
    canvas.setPointerCapture = () => {};
    event("pointerdown", x, y); event("pointermove", x + 150, y); event("pointerup", x + 150, y);
    event("pointermove", x + 150, y); seen.push(place());
    find("[data-do=whole]").click();
    const finger = { pointerType: "touch" };
    const tapped = middle(0, 3, 4, 5);
    event("pointermove", ...tapped, finger); seen.push(place());
    event("pointerdown", ...tapped, finger); event("pointerup", ...tapped, finger); seen.push(place());
    const [one, other] = [2, 3].map((pointerId) => ({ ...finger, pointerId }));
    event("pointerdown", x - 20, y, one); event("pointerdown", x + 20, y, other);
    event("pointermove", x - 60, y, one);
    return { seen, passed, taken, action: canvas.style.touchAction };
    """,
  )
  assert found["seen"] == [*["Row 2, column 1"] * 3, "Row 0, column 3"]
  assert (found["passed"], found["taken"]) == (True, False)
  assert found["action"] == "none"


def test_a_phone_has_no_need_to_scroll_sideways(opened, tmp_path):
  opened.open(tmp_path / "page.html", width=360)
  assert opened.run("return document.documentElement.scrollWidth;") <= 360


def test_on_a_phone_the_heads_of_the_classes_have_two_lines(opened, tmp_path):
  opened.open(tmp_path / "page.html", width=390)
  found = opened.run(
    """
    const head = document.querySelector(".classes thead");
    return head.offsetHeight / parseFloat(getComputedStyle(head).fontSize);
    """
  )
  assert 3 < found < 4.5, "height with its padding, in units of the font size"


def test_in_light_and_in_dark_everything_can_be_read(opened):
  chosen = [
    "body",
    "h1",
    ".quiet",
    "thead th",
    "td",
    ".viewer label",
    ".viewer button",
    "pre",
    ".share",
    ".choice label",
  ]
  assert browsing.hard_to_read(opened, chosen) == []


def test_in_print_and_without_scripts_the_maps_are_seen(opened, tmp_path):
  seen = """
    return [".viewer", ".maps", ".map-legend"].map((part) =>
      getComputedStyle(document.querySelector(part)).display !== "none");
  """
  assert opened.run(seen) == [True, False, False]
  opened.send("Emulation.setEmulatedMedia", media="print")
  assert opened.run(seen) == [False, True, True]
  opened.send("Emulation.setEmulatedMedia", media="")
  opened.send("Emulation.setScriptExecutionDisabled", value=True)
  opened.load(tmp_path / "page.html")
  assert opened.run(seen) == [False, True, True]
  opened.send("Emulation.setScriptExecutionDisabled", value=False)

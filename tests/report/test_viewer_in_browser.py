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
    fields_report, scene=scene, prediction=prediction, vote_share=share, probability=probability
  )
  return page.html(dataclasses.replace(run, scenes=[report], losses=None, title=_HOSTILE))


def test_the_page_as_it_is_loads_with_nothing_on_its_console(text, tmp_path):
  (tmp_path / "page.html").write_text(text, "utf-8")
  outcome = browsing.browse(tmp_path / "page.html", "--virtual-time-budget=5000", "--dump-dom")
  assert browsing.console(outcome) == []
  assert 'class="viewer viewing"' in outcome.stdout
  assert "<img src=x" not in outcome.stdout.replace("\\u003c", "")


def test_hover_shows_classes_confidence_and_spectrum(text, tmp_path):
  found = browsing.ask(
    text,
    tmp_path,
    """
    event("pointermove", ...middle(1, 2, 4, 5));
    const line = find(".inspector .line").getAttribute("d");
    const fields = ["truth", "prediction", "confidence", "votes", "use"];
    const wrong = [find(".place").textContent, ...fields.map(shown)];
    event("pointermove", ...middle(3, 4, 4, 5));
    const empty = [shown("use"), shown("confidence"), find(".inspector svg").hasAttribute("hidden")];
    event("pointermove", ...middle(3, 3, 4, 5));
    return { wrong, line, empty, last: shown("truth"), images: root.querySelectorAll("img").length,
      axis: [...root.querySelectorAll(".inspector text")].map((text) => text.textContent) };
    """,
  )
  assert found["wrong"] == [
    "Row 1, column 2; x 500025, y 4999985 (EPSG:32632): 9  Roof",
    *(f"2  {_HOSTILE}", "9  Roof", "25 %", "40 % of the snapshots", "test pixel"),
  ]
  assert found["empty"] == ["no measurement", "none", True]
  assert (found["last"], found["images"]) == ("5  <b>Wald</b>", 0)
  # Of pixel 3, 3: 54, 55 and 56 of 0 to 56, on the axis of most values.
  assert found["axis"][3:] == ["450", "650", "wavelength (nm)"]
  # The pixel's values 21, 22, 23 rise by one each, at equal distances of wavelength.
  (x0, y0), (x1, y1), (x2, y2) = (map(float, p.split(",")) for p in found["line"][1:].split("L"))
  assert x1 - x0 == pytest.approx(x2 - x1)
  assert y0 - y1 == pytest.approx(y1 - y2, abs=0.8)
  assert y0 > y1 > y2


def test_spectrum_has_the_pixels_values(text, tmp_path, fields):
  found = browsing.ask(
    text, tmp_path, "return spectrumAt(JSON.parse(find('script').textContent), await readSpectra("
    "JSON.parse(find('script').textContent).spectra), 2, 1).values;"
  )  # fmt: skip
  np.testing.assert_allclose(found, fields.cube[2, 1], atol=54 / 255)


def test_layers_opacity_and_legend_change_what_is_drawn(text, tmp_path):
  found = browsing.ask(
    text,
    tmp_path,
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
  truth, roof = list(colours.of_class(0)), list(colours.of_class(2))
  assert (found["truth"], found["prediction"], found["errors"]) == (truth, roof, list(colours.WRONG))
  np.testing.assert_allclose(found["confidence"], (59, 82, 139), atol=2)  # a quarter of the way up
  assert found["clear"] == found["none"] == found["hidden"] == found["no"]
  assert found["clear"] not in (truth, roof)
  assert (found["pressed"], found["again"]) == ("false", roof)
  assert (found["output"], found["key"]) == ("100 %", 0)


def test_keyboard_moves_the_cursor_zooms_and_pans(text, tmp_path):
  found = browsing.ask(
    text,
    tmp_path,
    """
    canvas.focus();
    const place = () => find(".place").textContent.split(";")[0], seen = [];
    key("ArrowDown"); seen.push(place());
    key("ArrowLeft"); key("ArrowUp"); seen.push(place());
    for (let i = 0; i < 9; i++) key("ArrowUp");
    seen.push(place());
    find("input[type=range]").value = 100;
    find("input[type=range]").dispatchEvent(new Event("input"));
    find("[data-do=no]").click();
    const before = colour(3, 3);
    for (let i = 0; i < 9; i++) key("+");
    for (let i = 0; i < 20; i++) for (const way of ["Down", "Right"]) key("Arrow" + way, { shiftKey: true });
    const panned = colour(canvas.clientWidth - 3, canvas.clientHeight - 3);
    key("0");
    return { seen, before, panned, after: colour(3, 3), focused: document.activeElement === canvas };
    """,
  )
  assert found["seen"] == ["Row 2, column 2", "Row 1, column 1", "Row 0, column 1"]
  assert found["before"] == found["after"]
  assert found["panned"] == list(colours.NO_DATA)
  assert found["focused"]


def test_mouse_zooms_at_its_place_drags_and_two_fingers_pinch(text, tmp_path):
  found = browsing.ask(
    text,
    tmp_path,
    """
    const [x, y] = middle(2, 1, 4, 5), seen = [], place = () => find(".place").textContent.split(";")[0];
    const wheel = (down) => canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: down, cancelable: true,
      clientX: x + canvas.getBoundingClientRect().left, clientY: y + canvas.getBoundingClientRect().top }));
    const passed = wheel(200);
    const taken = wheel(-200);
    event("pointermove", x, y); seen.push(place());
    canvas.setPointerCapture = () => {};
    event("pointerdown", x, y); event("pointermove", x + 150, y); event("pointerup", x + 150, y);
    event("pointermove", x + 150, y); seen.push(place());
    find("[data-do=whole]").click();
    const finger = { pointerType: "touch" };
    event("pointerdown", x, y, finger); event("pointerup", x, y, finger); seen.push(place());
    const [one, other] = [2, 3].map((pointerId) => ({ ...finger, pointerId }));
    event("pointerdown", x - 20, y, one); event("pointerdown", x + 20, y, other);
    event("pointermove", x - 60, y, one);
    return { seen, passed, taken, action: canvas.style.touchAction };
    """,
  )
  assert found["seen"] == ["Row 2, column 1"] * 3
  assert (found["passed"], found["taken"]) == (True, False)
  assert found["action"] == "none"

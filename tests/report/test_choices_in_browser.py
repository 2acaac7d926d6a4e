"""Choices of scene, replica, fold and layer, and the scale bar, in a headless Chromium."""

import dataclasses

import numpy as np
import pytest

from mtl_hsi.report import colours, page
from mtl_hsi.report.run_report import LeftOutLabels, ReplicaMap
from mtl_hsi.scenes.scene import Georeference
from tests.report.conftest import classified, left_out

_SHOWN = """
const sections = [...document.querySelectorAll("section.scene")];
return sections.filter((part) => part.offsetHeight).map((part) => part.id);
"""
_CURRENT = """
return [...document.querySelectorAll(".scenes [aria-current]")].map((link) => link.textContent.trim());
"""
_SETTLE = "await new Promise((done) => setTimeout(done, 50));"


@pytest.fixture
def text(run, fields, fields_report):
  """Two scenes: `fields` of two replicas on the ground, and `others` with labels that two folds left out."""
  scene = dataclasses.replace(
    fields, georeference=Georeference("EPSG:32632", (10.0, 0.0, 500000.0, 0.0, -10.0, 5000000.0))
  )
  second = fields_report.prediction.copy()
  second[1, 2] = 9
  replica = ReplicaMap(second, fields_report.test[:2], fields_report.test[2:])
  first = dataclasses.replace(fields_report, scene=scene, further=[replica])
  other = left_out(classified(dataclasses.replace(fields, name="others")))
  pixels = other.train
  predicted = other.prediction[tuple(pixels.T)].copy()
  predicted[(pixels == (0, 3)).all(axis=1)] = 9
  found = LeftOutLabels(pixels, predicted, np.where(pixels[:, 0] < 2, 0, 1))
  other = dataclasses.replace(other, left_out_labels=found)
  return page.render(dataclasses.replace(run, scenes=[first, other], losses=None, target="fields"))


def test_one_scene_at_a_time_is_shown_by_links_and_addresses(opened):
  assert opened.run(_SHOWN) == ["scene-1"]
  opened.run("document.querySelector('.scenes a[href=\"#scene-2\"]').click();" + _SETTLE)
  assert (opened.run(_SHOWN), opened.run(_CURRENT)) == (["scene-2"], ["others 50.0%"])
  assert opened.run("return document.querySelector('#scene-2 canvas').width > 100;")
  opened.run("document.querySelector('.scenes a[href=\"#scenes\"]').click();" + _SETTLE)
  assert (opened.run(_SHOWN), opened.run(_CURRENT)) == (["scene-1", "scene-2"], ["All"])
  opened.send("Emulation.setEmulatedMedia", media="print")
  opened.run("location.hash = 'scene-1';" + _SETTLE)
  assert opened.run(_SHOWN) == ["scene-1", "scene-2"], "paper has all scenes"
  opened.send("Emulation.setEmulatedMedia", media="")


def test_a_key_goes_on_in_the_viewer_of_the_next_scene(opened):
  where = """
  return [document.activeElement.tagName, document.activeElement.closest("section").id];
  """
  opened.ask("canvas.focus();")
  opened.press("s")
  assert (opened.run(_SHOWN), opened.run(where)) == (["scene-2"], ["CANVAS", "scene-2"])
  opened.press("s")
  assert (opened.run(_SHOWN), opened.run(where)) == (["scene-1"], ["CANVAS", "scene-1"])


def test_maps_of_replicas_change_with_list_and_key(opened):
  look = "return [colour(...middle(1, 2, 4, 5)), find('[data-choose=map]').value];"
  opened.ask(
    "find('input[type=range]').value = 100; find('input[type=range]').dispatchEvent(new Event('input'));"
  )
  opened.point(1, 2, 4, 5)
  assert opened.ask("return [shown('prediction'), shown('use'), shown('agreement')];") == [
    *("2  Maïs & blé", "test pixel", "50% of the maps")
  ]
  shares = "return [...root.querySelectorAll('.share')].map((part) => part.textContent);"
  assert opened.ask(shares) == ["35.0%", "35.0%", "30.0%"]
  opened.ask("canvas.focus();")
  opened.press("r")
  opened.run(_SETTLE)
  # The cursor frames the pixel, so its colour is read beside the frame.
  opened.point(0, 0, 4, 5)
  assert opened.ask(look) == [list(colours.class_colour(2)), "1"]
  assert opened.ask(shares) == ["30.0%", "35.0%", "35.0%"]
  opened.ask(
    "const list = find('[data-choose=map]'); list.value = 0; list.dispatchEvent(new Event('change'));"
    + _SETTLE
  )
  assert opened.ask(look) == [list(colours.class_colour(0)), "0"]
  assert opened.ask("return shown('use');") == "training pixel"


def test_layers_are_chosen_by_a_key_in_turn(opened):
  chosen = "return find('input[type=radio]:checked').value;"
  opened.ask("canvas.focus();")
  seen = []
  for _ in range(5):
    opened.press("l")
    seen.append(opened.ask(chosen))
  assert seen == ["errors", "agreement", "none", "truth", "prediction"]
  drawn = (
    "return [...root.querySelectorAll('.key')].filter((key) => !key.hidden).map((key) => key.dataset.key);"
  )
  opened.press("l", "l")
  assert opened.ask(drawn) == ["agreement"]


def test_left_out_labels_are_shown_by_fold(opened):
  opened.run("location.hash = 'scene-2';" + _SETTLE)
  tools = """
  const other = document.querySelectorAll(".viewer")[1], list = other.querySelector("[data-choose=fold]");
  const slider = other.querySelector("input[type=range]"), plane = other.querySelector("canvas");
  const at = (row, column) => {
    const [w, h] = [plane.clientWidth, plane.clientHeight], scale = Math.min(w / 5, h / 4);
    const ratio = plane.width / plane.clientWidth;
    const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const x = (w - 5 * scale) / 2 + (column + 0.5) * scale, y = (h - 4 * scale) / 2 + (row + 0.5) * scale;
    copy.drawImage(plane, -x * ratio, -y * ratio);
    return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  """
  found = opened.run(
    tools
    + """
    slider.value = 100;
    slider.dispatchEvent(new Event("input"));
    const seen = [];
    for (const fold of [0, 1, 2]) {
      list.value = fold;
      list.dispatchEvent(new Event("change"));
      seen.push([at(0, 3), at(0, 0), at(2, 0)]);
    }
    return [seen, other.querySelector("input:checked").value];
    """
  )
  (every, first, second), layer = found
  wrong, right = list(colours.WRONG), list(colours.CORRECT)
  assert layer == "left"
  assert every == [wrong, right, right]
  assert first[:2] == [wrong, right]
  assert first[2] not in (wrong, right)
  assert second[2] == right
  assert second[0] not in (wrong, right)
  opened.run(tools + "plane.focus();")
  opened.press("f", "ArrowDown", "ArrowUp", "ArrowUp", "ArrowRight")
  seen = opened.run(tools + "return [list.value, other.querySelector('[data-show=left]').textContent];")
  assert seen == ["0", "by fold 1, classified as 9  Roof"]


def test_the_scale_bar_has_a_round_length_on_the_ground(opened):
  found = opened.ask(
    """
    const scene = JSON.parse(find("script").textContent);
    const bars = [[1, 40, 1000], [1, 80, 1000], [1, 4, 200], [0.01, 0.001, 1000]];
    const found = bars.map(([row, scale, width]) => scaleBar(scene, row, scale, width));
    const unknown = [[], [0, 0]].map((metres) => scaleBar({ ...scene, metres }, 1, 40, 1000));
    return [found, colour(20, canvas.clientHeight - 13), ...unknown];
    """
  )
  bars, drawn, *none = found
  assert [bar["text"] for bar in bars] == ["20 m", "20 m", "100 m", "1000 km"]
  assert [bar["pixels"] for bar in bars[:3]] == pytest.approx([80, 160, 40], rel=1e-3)
  assert drawn == [255, 255, 255]
  assert none == [None, None]


def test_the_scale_follows_the_latitude(opened):
  found = opened.run(
    """
    const scene = { metres: [0.5, 1, 2], height: 100, stride: 3 };
    const one = metresAt({ ...scene, metres: [2] }, 70);
    return [...[0, 25, 50, 100].map((row) => metresAt(scene, row)), one];
    """
  )
  assert found == [1.5, 2.25, 3, 6, 6]

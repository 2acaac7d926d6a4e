"""The page on which a sample is filled in, in a headless Chromium, by keyboard alone."""

import shutil
import time

import pytest

from mtl_hsi.assessment import label_page
from tests.assessment.maps import MAP, draw, estimate, fill_in, read, write, write_map
from tests.assessment.test_label_page import write_image
from tests.report import browsing

_SHOWN = """
const shown = (selector) => document.querySelector(selector).textContent;
return { unit: shown("[data-show=unit]"), progress: shown("[data-show=progress]"), status: shown(".status"),
  pressed: [...document.querySelectorAll("[aria-pressed=true]")].map((one) => one.dataset.cell),
  note: document.querySelector("[data-note]").value };
"""


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
  browsing.require_chromium()
  with browsing.browser(tmp_path_factory.mktemp("profile")) as browser:
    yield browser


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
  """A directory with a sample of 20 pixels and its page."""
  place = tmp_path_factory.mktemp("drawn")
  image = write_image(place / "image.tif")
  outcome = draw(write_map(place / "map.tif"), image=image, size=20, floor=4, further_classes="<b>ice</b>")
  assert (outcome.status, outcome.err) == (0, "")
  return place


@pytest.fixture
def opened(drawn, tmp_path, chromium):
  """The page of a copy of that directory; its console must stay silent."""
  shutil.copytree(drawn, tmp_path, dirs_exist_ok=True)
  chromium.load(tmp_path / "map_label.html")
  # The sample is that of the test before, and so are the answers.
  chromium.run("localStorage.clear();")
  chromium.load(tmp_path / "map_label.html")
  chromium.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path / "downloads"))
  yield chromium
  assert chromium.said == []


def truth(row: dict) -> int:
  return int(MAP[int(row["row"]), int(row["column"])])


def saved(place) -> list[dict]:
  """Returns the rows of the table that the browser downloads."""
  path = place / "downloads" / "map_sample.csv"
  end = time.monotonic() + 20
  while not path.is_file():
    assert time.monotonic() < end, "nothing was downloaded"
    time.sleep(0.02)
  return read(path)


def test_a_sample_is_filled_in_by_keyboard_and_estimated(opened, tmp_path):
  rows = read(tmp_path / "map_sample.csv")
  opened.press(*(str(truth(row)) for row in rows[:-1]), "?", "ArrowLeft", "e")
  opened.send("Input.insertText", text='=seen "from", afar; 5')
  opened.press("Escape", "s")
  found = saved(tmp_path)
  assert [row["class"] for row in found] == [*(str(truth(row)) for row in rows[:-1]), "?"]
  assert found[18]["note"] == '\'=seen "from", afar; 5'
  for key in rows[0].keys() - {"class", "note"}:
    assert [row[key] for row in found] == [row[key] for row in rows]
  table = tmp_path / "downloads" / "map_sample.csv"
  outcome = estimate(tmp_path / "map.tif", table, design=tmp_path / "map_design.json")
  assert (outcome.status, outcome.err) == (0, "")
  assert "Overall accuracy: 100.0%" in outcome.out
  assert "marked as unsure" in outcome.out


def test_what_is_not_filled_in_is_saved_as_in_the_table(opened, tmp_path):
  opened.press("s")
  saved(tmp_path)
  names = ("map_sample.csv", "downloads/map_sample.csv")
  table, download = ((tmp_path / name).read_bytes() for name in names)
  assert download == table


def test_keys_go_through_the_units(opened):
  assert opened.run(_SHOWN)["unit"] == "Unit 1 of 20"
  seen = []
  keys = "ArrowLeft ArrowRight 2 End 1 Home ArrowRight u End u ArrowRight"
  for key in keys.split():
    opened.press(key)
    seen.append(int(opened.run(_SHOWN)["unit"].split()[1]))
  assert seen == [1, 2, 3, 20, 20, 1, 2, 3, 20, 1, 2]
  shown = opened.run(_SHOWN)
  assert (shown["pressed"], shown["progress"]) == (["2"], "2 of 20 filled in")
  opened.press("Delete")
  shown = opened.run(_SHOWN)
  assert (shown["unit"], shown["pressed"], shown["progress"]) == ("Unit 2 of 20", [], "1 of 20 filled in")


def test_letters_in_the_note_are_no_keys(opened):
  opened.press("e", "2", "s", "Enter", "5")
  shown = opened.run(_SHOWN)
  assert (shown["unit"], shown["status"]) == ("Unit 2 of 20", "Unit 1: water")


def test_buttons_are_reached_by_tab(opened):
  opened.run("document.querySelector('[data-cell=\"5\"]').focus();")
  assert "solid" in opened.run("return getComputedStyle(document.activeElement).outlineStyle;")
  opened.run("document.activeElement.click();")
  assert opened.run(_SHOWN)["status"] == "Unit 1: water"


def test_names_stay_text(opened):
  opened.press("a")
  assert opened.run(_SHOWN)["status"] == "Unit 1: <b>ice</b>"
  assert opened.run("return document.querySelectorAll('main b').length;") == 0


def test_a_reload_loses_nothing(opened, tmp_path):
  opened.press("1", "?", "e")
  opened.send("Input.insertText", text="under a cloud")
  opened.load(tmp_path / "map_label.html")
  shown = opened.run(_SHOWN)
  assert (shown["unit"], shown["progress"]) == ("Unit 3 of 20", "2 of 20 filled in, 1 unsure")
  assert shown["note"] == "under a cloud"


def test_a_table_that_is_partly_filled_in_is_loaded(opened, tmp_path):
  opened.press("5", "5")
  answers = {"1": "", "2": "Soy", "3": " 5.0 ", "4": "Unsure", "5": "<B>ice</B>"}
  rows = [{**row, "class": answers.get(row["id"], "")} for row in read(tmp_path / "map_sample.csv")]
  rows[3]["note"] = 'a "quoted", note'
  write(tmp_path / "part.csv", rows[::-1])
  opened.choose("l", tmp_path / "part.csv")
  _wait(opened, "part.csv: 4 answers loaded, 1 of them in place of others.")
  opened.press("s")
  found = saved(tmp_path)
  assert [row["class"] for row in found[:6]] == ["5", "2", "5", "?", "<b>ice</b>", ""]
  assert found[3]["note"] == 'a "quoted", note'


def test_a_table_with_semicolons_is_loaded(opened, tmp_path):
  fill_in(tmp_path / "map_sample.csv", lambda row: "water" if row["id"] == "7" else "")
  text = (tmp_path / "map_sample.csv").read_text().replace(",", ";").replace("\n", "\r\n")
  (tmp_path / "part.csv").write_text("\ufeff" + text, newline="")
  opened.choose("l", tmp_path / "part.csv")
  _wait(opened, "part.csv: 1 answer loaded.")


@pytest.mark.parametrize(
  ("change", "message"),
  [
    (lambda rows: rows[0].update({"class": "swamp"}), "Unit 1 has an unknown class: swamp."),
    (lambda rows: rows[2].update({"row": "99"}), "Unit 3 is not in this sample, or has another place in it."),
    (lambda rows: rows[2].update({"id": "99"}), "Unit 99 is not in this sample, or has another place in it."),
    (lambda rows: rows.append(rows[1]), "Unit 2 is listed twice."),
    (lambda rows: [row.pop("class") for row in rows], "It lacks one of the columns id, row, column"),
  ],
)
def test_other_tables_are_not_loaded(opened, tmp_path, change, message):
  rows = read(tmp_path / "map_sample.csv")
  change(rows)
  write(tmp_path / "other.csv", rows)
  opened.choose("l", tmp_path / "other.csv")
  _wait(opened, f"other.csv was not loaded. {message}")
  assert opened.run(_SHOWN)["progress"] == "0 of 20 filled in"


def _wait(browser, status: str) -> None:
  """Waits until the status line starts with a text; files are read in the background."""
  end = time.monotonic() + 20
  while not (said := browser.run(_SHOWN)["status"]).startswith(status):
    assert time.monotonic() < end, said
    time.sleep(0.02)


def test_a_phone_has_no_need_to_scroll_sideways(opened, tmp_path):
  opened.load(tmp_path / "map_label.html", width=360)
  assert opened.run("return document.documentElement.scrollWidth;") <= 360


def test_in_print_and_without_scripts_the_sheet_is_seen(opened, tmp_path):
  seen = """
    return [".labelling", ".sheet"].map((part) =>
      getComputedStyle(document.querySelector(part)).display !== "none");
  """
  opened.press("2")
  assert opened.run(seen) == [True, False]
  opened.send("Page.printToPDF")
  opened.send("Emulation.setEmulatedMedia", media="print")
  assert opened.run(seen) == [False, True]
  assert opened.run("return document.querySelector('.sheet tbody tr').cells[7].textContent;") == "2"
  opened.send("Emulation.setEmulatedMedia", media="")
  opened.send("Emulation.setScriptExecutionDisabled", value=True)
  opened.load(tmp_path / "map_label.html")
  assert opened.run(seen) == [False, True]
  opened.send("Emulation.setScriptExecutionDisabled", value=False)


def test_in_light_and_in_dark_everything_can_be_read(opened):
  opened.press("2", "ArrowLeft")
  pressed = ".classes [aria-pressed=true]"
  parts = ["body", "h1", ".quiet", ".classes button", ".note input", ".status", "code"]
  assert browsing.hard_to_read(opened, [*parts, pressed, f"{pressed} kbd"]) == []


def test_a_page_with_the_first_units_loads_a_table_with_all(tmp_path, chromium, monkeypatch):
  monkeypatch.setattr(label_page, "MOST_BYTES", 100_000)
  image = write_image(tmp_path / "image.tif")
  assert draw(write_map(tmp_path / "map.tif"), image=image, size=40, floor=10).status == 0
  fill_in(tmp_path / "map_sample.csv", truth)
  chromium.load(tmp_path / "map_label.html")
  chromium.choose("l", tmp_path / "map_sample.csv")
  _wait(chromium, "map_sample.csv: 12 answers loaded.")

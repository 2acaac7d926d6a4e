"""Copies of tables and command, saved files, and the confusion matrix, in a headless Chromium."""

import csv
import dataclasses
import io

import pytest
from PIL import Image

from mtl_hsi.report import page

# The clipboard of a page of its own, which tests can read.
_CLIPBOARD = """
window.copied = [];
const value = { writeText: async (text) => { window.copied.push(text); } };
Object.defineProperty(navigator, "clipboard", { value });
"""
_PRESS = """
const press = (text, place = document) => {
  [...place.querySelectorAll("button")].find((button) => button.textContent === text).click();
};
"""


@pytest.fixture
def text(run, fields, fields_report):
  """A page with a class that a spreadsheet would run, and a confusion matrix to choose from."""
  names = {2: "=1+1", 5: "Wald, licht", 9: "Roof"}
  per_class = [entry | {"name": names[entry["id"]]} for entry in fields_report.metrics["per_class"]]
  per_class[0] |= {"test_pixels": 12345}
  metrics = fields_report.metrics | {
    "confusion": [[2999, 1, 0], [1, 1, 2], [0, 0, 0]],
    "per_class": per_class,
  }
  report = dataclasses.replace(
    fields_report, scene=dataclasses.replace(fields, class_names=names), metrics=metrics
  )
  return page.render(dataclasses.replace(run, scenes=[report], losses=None))


def test_command_and_tables_are_copied(opened, run):
  opened.run(_CLIPBOARD)
  found = opened.run(
    _PRESS
    + """
    press("Copy command");
    for (const table of document.querySelectorAll("table[data-file]")) {
      press("Copy table", table.closest(".scroll").nextSibling);
    }
    await new Promise((done) => setTimeout(done, 20));
    const buttons = [...document.querySelectorAll("button")];
    return [window.copied, buttons.filter((button) => button.textContent === "Copied").length];
    """
  )
  (command, accuracy, classes, confusion), said = found
  assert (command, said) == (run.command, 4)
  assert accuracy.splitlines()[0] == "Measure\tIn %\t95% confidence interval"
  heads, *rows = [line.split("\t") for line in classes.splitlines()]
  assert heads[:4] == ["Class", "Producer's accuracy", "User's accuracy", "F1"]
  assert {len(cells) for cells in rows} == {len(heads)}
  assert [cells[0] for cells in rows] == ["2 =1+1", "5 Wald, licht", "9 Roof"]
  assert rows[0][5] == "12345"
  assert confusion.splitlines()[1].split("\t")[1:] == ["100", "<1", "", "3000"]


def test_texts_that_a_spreadsheet_would_run_are_escaped(opened):
  found = opened.run(
    """
    const cell = document.createElement("td");
    document.querySelector("tr").append(cell);
    return ["=1+1", " +a", "\\u22120.60", "-0.6", "1,234.5", "\\u2013", "+60.83"].map((text) => {
      cell.textContent = text;
      return cellText(cell);
    });
    """
  )
  assert found == ["'=1+1", "'+a", "-0.60", "-0.6", "1234.5", "", "+60.83"]


@pytest.fixture
def saved(opened, tmp_path):
  """Presses a button and returns name and content of the file that the browser saves."""
  folder = tmp_path / "saved"
  folder.mkdir()
  opened.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

  def save(script):
    opened.run(_PRESS + script)
    for _ in range(100):
      opened.run("await new Promise((done) => setTimeout(done, 20));")
      files = [
        path for path in folder.iterdir() if path.suffix != ".crdownload" and not path.name.startswith(".")
      ]
      if files:
        content = files[0].read_bytes()
        files[0].unlink()
        return files[0].name, content
    pytest.fail("nothing was saved")

  return save


def test_a_table_is_saved_as_csv(saved):
  name, content = saved("press('Save CSV', document.querySelector('.confusion-of'));")
  assert name == "fields_confusion.csv"
  rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
  assert rows[0] == ["", "2 =1+1", "5 Wald, licht", "9 Roof", "pixels"]
  assert rows[2] == ["5 Wald, licht", "25", "25", "50", "4"]


def test_pictures_are_saved_by_name(saved, opened):
  names = "return [...document.querySelectorAll('.pictures a')].map((link) => link.download);"
  assert opened.run(names) == [
    f"fields_{name}.png" for name in ("false_colour", "ground_truth", "prediction", "errors")
  ]
  name, content = saved("document.querySelectorAll('.pictures a')[2].click();")
  assert name == "fields_prediction.png"
  assert Image.open(io.BytesIO(content)).size == (5, 4)
  name, content = saved("press('Save this view');")
  assert name == "fields_prediction_view.png"
  assert Image.open(io.BytesIO(content)).width > 100


def test_the_confusion_matrix_is_by_row_by_column_or_in_pixels(opened, tmp_path):
  look = """
  const cells = [...document.querySelectorAll(".confusion tbody tr")[1].cells].slice(1, 4);
  return [cells.map((cell) => cell.innerText), cells.map((cell) => getComputedStyle(cell).backgroundColor)];
  """
  # No script is needed for it.
  opened.load(tmp_path / "page.html")
  texts, first = opened.run(look)
  assert texts == ["25", "25", "50"]
  opened.run("document.querySelector('.of-columns').click();")
  texts, second = opened.run(look)
  assert texts == ["<1", "50", "100"]
  assert first != second
  opened.run("document.querySelector('.of-counts').click();")
  texts, third = opened.run(look)
  assert (texts, third) == (["1", "1", "2"], first)

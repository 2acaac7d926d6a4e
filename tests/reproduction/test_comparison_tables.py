import csv
import dataclasses
import io
import re

import pytest

from mtl_hsi.paper.published import PaperFigure
from mtl_hsi.reproduction import comparison_tables, plots_over_n
from mtl_hsi.reproduction.comparison_tables import ComparedCell
from tests.report.test_page import Page

SINGLE = ComparedCell(
  table="Table III",
  target="IN",
  scene="indian_pines",
  column="hresnet/single",
  samples_per_class=5,
  ours=(40.0, 42.0, 44.0),
  paper=PaperFigure(39.0, 3.0),
  alone=None,
  discordant=None,
  stand_ins=(),
  by_the_letter=True,
)
MULTI = dataclasses.replace(
  SINGLE,
  column="hresnet/with/SA",
  ours=(41.0, 44.0, 47.0),
  paper=PaperFigure(42.44, 3.24),
  alone=(40.0, 42.0, 44.0),
  discordant=(9, 1),
)
NOT_RUN = dataclasses.replace(SINGLE, samples_per_class=10, ours=None)
UNKNOWN = dataclasses.replace(MULTI, table="Table IV", target="SA", scene="salinas", paper=None)
ONCE = dataclasses.replace(MULTI, ours=(41.0,), alone=(40.0,), discordant=None)
STAND_IN = dataclasses.replace(MULTI, stand_ins=("salinas_a (crop)",))
ALL = [SINGLE, NOT_RUN, MULTI, UNKNOWN]


def table_rows(text):
  """Cells of the lines of a Markdown table, without its heads."""
  lines = [line for line in text.splitlines() if line.startswith("|")]
  return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def details(cell):
  (row,) = csv.DictReader(io.StringIO(comparison_tables.detail_csv([cell])))
  return row


@pytest.mark.parametrize(
  ("column", "words"),
  [
    ("svm", "SVM"),
    ("hresnet/single", "HResNet, single task"),
    ("hresnet/with/SA", "HResNet with Salinas, spectral knowledge"),
    ("ccnn/with/PC", "CCNN with Pavia Centre, spectral knowledge"),
    ("hresnet/without/PU", "HResNet with Pavia University, no spectral knowledge"),
    ("hresnet/without/INVERSE-IN", "HResNet with Indian Pines, bands reversed"),
    ("hresnet/with/ALL", "HResNet with all other scenes, spectral knowledge"),
    ("hresnet/with/SA+PC", "HResNet with Salinas and Pavia Centre, spectral knowledge"),
    ("other/with/fields", "other with fields, spectral knowledge"),
  ],
)
def test_columns_in_words(column, words):
  assert comparison_tables.column_title(column) == words


def test_csv_has_the_cells_that_were_run_in_the_form_of_the_paper_s_tables():
  assert comparison_tables.csv_text([*ALL, dataclasses.replace(ONCE, samples_per_class=30)]) == (
    "target,column,samples_per_class,oa_mean,oa_std,replicas\n"
    "IN,hresnet/single,5,42.00,1.63,3\n"
    "IN,hresnet/with/SA,5,44.00,2.45,3\n"
    "SA,hresnet/with/SA,5,44.00,2.45,3\n"
    "IN,hresnet/with/SA,30,41.00,0.00,1\n"
  )


def test_details_of_a_multitask_cell():
  # Gains 1, 2, 3; the difference's interval is that of variance 9 / 3 and 3.24^2 / 9.
  assert comparison_tables.detail_csv([MULTI]) == (
    "table,scene,stand_ins,target,column,samples_per_class,oa_mean,oa_std,replicas,paper_mean,paper_std,"
    "difference,difference_low,difference_high,gain,gain_low,gain_high,up,wilcoxon_p,only_this,only_single,"
    "mcnemar_p\n"
    "Table III,indian_pines,,IN,hresnet/with/SA,5,44.00,2.45,3,42.44,3.24,"
    "1.56,-4.27,7.39,2.00,-0.48,4.48,3,0.25,9,1,0.02148\n"
  )


def test_details_that_are_not_known_stay_empty():
  assert set(list(details(NOT_RUN).values())[6:9]) == {""}
  assert (details(NOT_RUN)["paper_mean"], details(NOT_RUN)["difference"]) == ("39.00", "")
  assert (details(UNKNOWN)["paper_mean"], details(UNKNOWN)["difference"], details(UNKNOWN)["gain"]) == (
    "", "", "2.00"
  )  # fmt: skip
  assert set(list(details(SINGLE).values())[14:]) == {""}
  assert details(dataclasses.replace(MULTI, ours=None, discordant=None))["gain"] == ""
  once = details(ONCE)
  assert (once["difference"], once["difference_low"], once["gain"], once["wilcoxon_p"]) == (
    "-1.44", "", "1.00", ""
  )  # fmt: skip


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@SUM(A1)", "\t=1", "\r=1"])
def test_texts_are_no_formulas_for_a_spreadsheet(name):
  cell = dataclasses.replace(
    SINGLE, table=name, target=name, scene=name, column=name, ours=(1.0, 2.0), stand_ins=("crop", name)
  )
  row = details(cell)
  guarded = "'" + name.replace("\r", " ")
  assert [row[key] for key in ("table", "target", "scene", "column")] == [guarded] * 4
  assert row["stand_ins"] == f"crop; {guarded}"
  assert comparison_tables.csv_text([cell]).splitlines()[1] == f"{guarded},{guarded},5,1.50,0.50,2"


def test_negative_numbers_stay_numbers():
  assert float(details(ONCE)["difference"]) == -1.44


def test_markdown_has_a_row_per_column_and_n_that_was_run_in_the_order_of_n():
  text = comparison_tables.markdown([NOT_RUN, MULTI, SINGLE])
  assert table_rows(text) == [
    [
      "HResNet, single task", "5", "3", "42.00 ± 1.63", "39.00 ± 3.00",
      "+3.00 [-0.83, +6.83]", "", "", "", "",
    ],
    [
      "HResNet with Salinas, spectral knowledge", "5", "3", "44.00 ± 2.45", "42.44 ± 3.24",
      "+1.56 [-4.27, +7.39]", "+2.00 [-0.48, +4.48]", "3 of 3", "0.250", "0.021",
    ],
  ]  # fmt: skip
  assert "2 of 3 cells were run, 1 not run." in text
  assert text.startswith("## Table III: Indian Pines\n\n| column | n | runs | OA | OA in the letter | diff")
  assert "not independent" in text
  assert "not corrected" in text
  assert "inferred from the author's code" in text
  assert "All tables" not in text


def test_what_the_source_text_lacks_reads_unknown():
  (row,) = table_rows(comparison_tables.markdown([UNKNOWN]))
  assert row[3:7] == ["44.00 ± 2.45", "unknown", "", "+2.00 [-0.48, +4.48]"]


def test_columns_that_the_source_text_lacks_are_marked_as_inferred():
  cells = [
    dataclasses.replace(UNKNOWN, column=column)
    for column in ("hresnet/with/ALL", "hresnet/without/IN", "ccnn/single")
  ]
  titles = [
    "HResNet with all other scenes, spectral knowledge",
    "HResNet with Indian Pines, no spectral knowledge (inferred)",
    "CCNN, single task (inferred)",
  ]
  text = comparison_tables.markdown([*cells, dataclasses.replace(SINGLE, column="ccnn/single")])
  assert [row[0] for row in table_rows(text)[:3]] == titles
  # Table III has all of its columns.
  assert "\n| CCNN, single task | 5" in text
  assert "columns of that table are inferred" in text
  assert re.findall(r"<figcaption>(.*?)</figcaption>", comparison_tables.html(cells, "Table IV")) == titles


def test_one_replica_has_neither_spread_nor_interval():
  text = comparison_tables.markdown([ONCE])
  assert table_rows(text)[0][2:] == ["1", "41.00", "42.44 ± 3.24", "-1.44", "+1.00", "1 of 1", "", ""]
  assert "1 cell ran with a single replica and cannot be compared." in text
  assert "joint standard errors" not in text


def test_tiny_p_are_not_called_zero():
  (row,) = table_rows(comparison_tables.markdown([dataclasses.replace(MULTI, discordant=(900, 10))]))
  assert row[-1] == "< 0.001"


def test_summary_counts_in_plain_words():
  # Ours is 42. Between two errors (3.055) and the interval's end (3.83): 3.5.
  above = dataclasses.replace(SINGLE, column="svm", paper=PaperFigure(30.0, 1.0))
  below = dataclasses.replace(above, samples_per_class=15, paper=PaperFigure(60.0, 1.0))
  between = dataclasses.replace(SINGLE, column="svm", samples_per_class=10, paper=PaperFigure(38.5, 3.0))
  lost = dataclasses.replace(UNKNOWN, ours=(30.0, 32.0, 34.5), samples_per_class=10)
  text = comparison_tables.markdown([*ALL, above, below, between, lost])
  assert (
    "5 of 6 cells were run, 1 not run. Of 5 cells compared with the letter, 2 have the letter's mean within "
    "two joint standard errors of ours, and 3 have 0 within the 95% interval of the difference. Of 1 cell "
    "compared with the single task, 0 gained, 0 lost and 1 has 0 within the 95% interval of the gain." in text
  )
  overall = text.partition("## All tables")[2]
  assert "7 of 8 cells were run, 1 not run." in overall
  assert "Of 3 cells compared with the single task, 0 gained, 1 lost and 2 have" in overall
  assert "Our copy of the letter lacks the figures of 2 cells." in overall


def test_a_stand_in_is_announced_and_never_stands_beside_the_paper_s_figure():
  text = comparison_tables.markdown([SINGLE, STAND_IN])
  page = comparison_tables.html([SINGLE, STAND_IN], "Tables")
  assert text.index("> **STAND-INS: salinas\\_a (crop).") < text.index("| column")
  assert page.index("STAND-INS: salinas_a (crop).") < page.index("<svg")
  row = table_rows(text)[1]
  assert row[:7] == [
    "HResNet with Salinas, spectral knowledge **(stand-in)**", "5", "3", "44.00 ± 2.45", "not comparable", "",
    "+2.00 [-0.48, +4.48]",
  ]  # fmt: skip
  for shown in (text, page, comparison_tables.detail_csv([STAND_IN])):
    assert "42.44" not in shown
  assert "1 cell was run with stand-ins." in text
  assert "lacks the figures" not in text
  assert (STAND_IN.published, STAND_IN.difference) == (None, None)
  figures = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
  assert ["stand-in" in figure for figure in figures] == [False, True]
  assert [figure.count('class="paper dot"') for figure in figures] == [1, 0]


def test_without_stand_ins_they_are_not_mentioned():
  assert "STAND-IN" not in comparison_tables.markdown(ALL)
  assert ">stand-in<" not in comparison_tables.html(ALL, "Tables")


def test_a_target_that_is_not_the_paper_s_scene_is_named():
  cell = dataclasses.replace(STAND_IN, scene="salinas_a", stand_ins=("salinas_a",))
  assert comparison_tables.markdown([cell]).startswith("## Table III: Indian Pines (here salinas\\_a)\n")


def test_markdown_tables_survive_any_name():
  name = "a|b\n<i>*c*"
  cell = dataclasses.replace(STAND_IN, table=name, column=f"{name}/single", stand_ins=(name,))
  text = comparison_tables.markdown([cell])
  escaped = r"a\|b \<i\>\*c\*"
  assert text.startswith(f"## {escaped}: Indian Pines\n\n> **STAND-INS: {escaped}.")
  assert f"\n| {escaped}, single task **(stand-in)** | 5 | 3 | 44.00 ± 2.45 |" in text


def test_page_has_every_row_and_a_plot_of_every_column():
  text = comparison_tables.html(ALL, "Tables III and IV")
  rows = Page(text).rows
  assert rows[1:4] == [
    [
      "HResNet, single task", "5", "3", "42.00 ± 1.63", "39.00 ± 3.00",
      "+3.00 [-0.83, +6.83]", "", "", "", "",
    ],
    ["10", "", "not run", "39.00 ± 3.00", "", "", "", "", ""],
    [
      "HResNet with Salinas, spectral knowledge", "5", "3", "44.00 ± 2.45", "42.44 ± 3.24",
      "+1.56 [-4.27, +7.39]", "+2.00 [-0.48, +4.48]", "3 of 3", "0.250", "0.021",
    ],
  ]  # fmt: skip
  assert text.count("<figure>") == 3
  assert text.count("training samples per class</text>") == text.count("OA in %</text>") == 3
  captions = re.findall(r"<figcaption>(.*?)</figcaption>", text)
  assert captions[:2] == ["HResNet, single task", "HResNet with Salinas, spectral knowledge"]
  for words in ("not independent", "not corrected", "inferred from the", "3 of 4 cells were run"):
    assert words in text


def test_plots_of_a_table_share_their_axes_and_show_ours_and_the_paper_s():
  text = comparison_tables.html([SINGLE, NOT_RUN, MULTI], "Tables")
  single, multi = re.findall(r"<svg viewBox=\"0 0 300.*?</svg>", text, re.DOTALL)
  labels = [re.findall(r'text-anchor="end">(.*?)<', plot) for plot in (single, multi)]
  assert labels[0] == labels[1] == ["35", "40", "45", "50"]
  dots = re.findall(r'<circle class="(\w+) dot" cx="([\d.]+)" cy="([\d.]+)"', single)
  low, high = plots_over_n.BOTTOM, plots_over_n.TOP

  def at(accuracy):
    return pytest.approx(low - (low - high) * (accuracy - 35) / 15, abs=0.051)

  left, right = plots_over_n.LEFT + 14, plots_over_n.RIGHT - 14
  assert [(name, float(x), float(y)) for name, x, y in dots] == [
    ("paper", left, at(39)), ("paper", right, at(39)), ("ours", left, at(42))
  ]  # fmt: skip


def test_a_column_that_was_not_run_says_so_in_its_plot():
  assert comparison_tables.html([NOT_RUN], "Tables").count(">not run</text>") == 1
  assert ">not run</text>" not in comparison_tables.html([SINGLE], "Tables")


def test_page_needs_nothing_else_and_escapes_every_name():
  name = "<script>alert('x')</script>"
  cell = dataclasses.replace(
    STAND_IN, table=name, target=name, scene=name, column=f"{name}/with/{name}", stand_ins=(name,)
  )
  text = comparison_tables.html([cell], name)
  seen = Page(text)
  assert not seen.tags & {"script", "link", "iframe", "object", "img"}
  assert seen.addresses == []
  assert not re.search(r"https?://|url\(|@import", text)
  assert "default-src 'none'" in text
  assert "prefers-color-scheme: dark" in text
  assert "<script" not in text
  assert text.count("&lt;script&gt;alert(&#39;x&#39;)&lt;") >= 7


def test_the_papers_figure_does_not_stand_beside_another_training():
  cell = dataclasses.replace(SINGLE, by_the_letter=False)
  assert cell.published is cell.difference is None
  text = comparison_tables.markdown([cell])
  assert "not comparable" in text
  assert "39.00" not in text

"""The 95% intervals of an assessment contain the truth in about 95% of the samples."""

import importlib.util
import json
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_KEPT = json.loads((_ROOT / "results" / "assessment_coverage.json").read_text())


def shares(measured: dict) -> dict[str, float]:
  return {name: of_measure["interval"] for name, of_measure in measured.items()}


@pytest.mark.parametrize("design", ["stratified", "simple"])
def test_the_kept_shares_are_93_to_97_percent(design):
  found = shares(_KEPT["cases"][design]).values()
  assert len(found) == 16
  assert 0.93 <= min(found) <= max(found) <= 0.97


def test_the_kept_shares_are_nearly_so_where_strata_are_not_classes_or_the_sample_is_systematic():
  assert min(shares(_KEPT["cases"]["stratified, later map"]).values()) >= 0.925
  assert max(shares(_KEPT["cases"]["stratified, later map"]).values()) <= 0.98
  assert min(shares(_KEPT["cases"]["systematic"]).values()) >= 0.925


def test_standard_errors_alone_would_miss_rare_classes():
  """The reason why the intervals are not estimate ± 1.96 standard errors."""
  rare = _KEPT["cases"]["stratified"]
  assert rare["area 5"]["plus_minus"] < 0.8
  assert rare["producer's 5"]["plus_minus"] < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("design", ["stratified", "simple"])
def test_a_thousand_new_samples_give_the_kept_shares(design, tmp_path):
  spec = importlib.util.spec_from_file_location(
    "assessment_coverage", _ROOT / "experiments" / "assessment_coverage.py"
  )
  script = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(script)
  measured = script.measure(script.CASES[design], _KEPT["samples"], tmp_path)
  assert shares(measured) == pytest.approx(shares(_KEPT["cases"][design]), abs=0.002)

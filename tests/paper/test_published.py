import collections
import importlib.resources

import pytest

from mtl_hsi.paper import published

IN, SA, PU, PC = "indian_pines", "salinas", "pavia_university", "pavia_centre"


def test_every_figure_of_the_paper_is_there():
  lines = importlib.resources.files("mtl_hsi.paper").joinpath("published.csv").read_text().splitlines()[1:]
  cells = [line.split(",") for line in lines]
  assert collections.Counter(cell[0] for cell in cells) == {"PU": 72, "PC": 72, "IN": 72, "SA": 35}
  for target, column, n, mean, std in cells:
    assert published.figure(target, column, int(n)) == (float(mean), float(std))


@pytest.mark.parametrize(
  ("target", "column", "n", "expected"),
  [
    ("PU", "svm", 5, (62.17, 9.08)),
    ("IN", "hresnet/single", 5, (39.17, 3.06)),
    ("IN", "hresnet/with/SA", 30, (73.66, 1.11)),
    ("PC", "hresnet/without/INVERSE-PU", 10, (95.80, 1.43)),
    ("SA", "hresnet/with/ALL", 25, (83.74, 1.25)),
  ],
)
def test_figures_as_printed(target, column, n, expected):
  assert published.figure(target, column, n) == expected


def test_what_the_preprint_lacks_is_none():
  assert published.figure("SA", "hresnet/with/ALL", 30) is None
  assert published.figure("IN", "hresnet/single", 7) is None


@pytest.mark.parametrize(
  ("target", "partners", "model", "knowledge", "inverse", "expected"),
  [
    (IN, [], "hresnet", True, [], "hresnet/single"),
    (IN, [], "hresnet", False, [], "hresnet/single"),
    (PU, [], "ccnn", True, [], "ccnn/single"),
    (SA, [], "svm", False, [], "svm"),
    (IN, [SA], "hresnet", True, [], "hresnet/with/SA"),
    (IN, [SA], "hresnet", False, [], "hresnet/without/SA"),
    (PC, [SA], "ccnn", True, [], "ccnn/with/SA"),
    (PU, [PC, SA, IN], "hresnet", True, [], "hresnet/with/ALL"),
    (PU, [PC], "hresnet", True, [PC], "hresnet/without/INVERSE-PC"),
    (IN, (SA,), "hresnet", True, (SA,), "hresnet/without/INVERSE-SA"),
  ],
)
def test_columns(target, partners, model, knowledge, inverse, expected):
  assert published.column_of(target, partners, model, knowledge, inverse) == expected


@pytest.mark.parametrize(
  ("target", "partners", "model", "knowledge", "inverse"),
  [
    ("my_fields", [], "hresnet", True, []),
    (IN, ["salinas_simulated"], "hresnet", True, []),
    (PU, [PC, SA], "hresnet", True, []),  # never three scenes
    (PU, [PC, SA, IN], "hresnet", False, []),  # all four only with spectral knowledge
    (PU, [IN], "ccnn", True, []),
    (IN, [SA], "svm", True, []),
    (SA, [IN], "hresnet", False, []),  # after the preprint breaks off
    (PU, [PC], "hresnet", False, [PC]),
    (PU, [SA], "hresnet", True, [SA]),
    (PU, [PC], "hresnet", True, [PU]),
    (PU, [], "hresnet", True, [PU]),
  ],
)
def test_what_the_paper_did_not_do_has_no_column(target, partners, model, knowledge, inverse):
  assert published.column_of(target, partners, model, knowledge, inverse) is None

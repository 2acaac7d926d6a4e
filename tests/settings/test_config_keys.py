import pytest

from mtl_hsi.settings import config_keys


@pytest.mark.parametrize(
  ("text", "parts"),
  [
    ("configs/own.py", ("configs/own.py", "", "")),
    ("configs/own.py:fields,town", ("configs/own.py", ":", "fields,town")),
    ("configs/own.py:", ("configs/own.py", ":", "")),
    (r"C:\configs\own.py", (r"C:\configs\own.py", "", "")),
    (r"C:\configs\own.py:fields", (r"C:\configs\own.py", ":", "fields")),
    ("mtl:pu_all", ("mtl", ":", "pu_all")),
    ("own", ("own", "", "")),
  ],
)
def test_the_argument_of_a_config_follows_its_file(text, parts):
  assert config_keys.split_argument(text) == parts


KNOWN = ["seed", "batch_size", "phases.phase1.learning_rate", "phases.phase2.learning_rate", "model.name"]


@pytest.mark.parametrize(
  ("name", "cutoff", "expected"),
  [
    ("learning_rate", 1.0, KNOWN[2:4]),
    ("lr", 1.0, KNOWN[2:4]),
    ("learning_rat", 1.0, []),
    ("learning_rat", 0.7, KNOWN[2:4]),
    ("batchsize", 0.7, ["batch_size"]),
    ("colour", 0.7, []),
  ],
)
def test_keys_that_a_name_may_mean(name, cutoff, expected):
  assert config_keys.meant_by_last_part(name, KNOWN, cutoff) == expected

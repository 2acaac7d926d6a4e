"""Config files that raise an error or do not define a config."""

import pytest

LACKING = """
from configs import mtl

def get_config():
  config = mtl.get_config("in")
  del config.{}
  return config
"""


@pytest.mark.parametrize(
  ("code", "message"),
  [
    ("get_config = 3 +", "failed: SyntaxError: invalid syntax"),
    ("import nowhere", "failed at line 1: ModuleNotFoundError: No module named 'nowhere'"),
    ("\ndef get_config():\n  return 1 / 0", "failed at line 3: ZeroDivisionError: division by zero"),
    ("x = 3", "has no function get_config"),
    ("def get_config(cell):\n  pass", "needs an argument after a colon"),
    ("def get_config():\n  return {}", "get_config must return a ConfigDict that is derived from the one in"),
    (
      "from ml_collections import ConfigDict as get_config",
      "get_config must return a ConfigDict that is derived from the one in",
    ),
    (LACKING.format("seed"), "the config has no key 'seed'; start from configs/common.py"),
    (LACKING.format("replicas"), "get_config must return a ConfigDict that is derived from the one in"),
    (LACKING.format("optimizer"), "get_config must return a ConfigDict that is derived from the one in"),
    (LACKING.format("optimizer.name"), "get_config must return a ConfigDict that is derived from the one in"),
  ],
)
def test_a_file_that_is_no_config(refusal, tmp_path, code, message):
  (tmp_path / "mine.py").write_text(code)
  assert message in refusal("--config=mine.py")

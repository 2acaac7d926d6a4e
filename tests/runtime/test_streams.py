import os
import subprocess
import sys

import pytest

from mtl_hsi.runtime import streams
from tests import launching

# Prepares the streams, and prints a line with an umlaut, Chinese characters and part of a broken file name.
PRINT = """
import logging, sys, warnings
from mtl_hsi.runtime import streams
streams.prepare()
print("Gr\\u00fcnland \\u6c34\\u7530 \\udcff")
"""


def run(code, **changes):
  return subprocess.run(
    [sys.executable, "-c", code], cwd=launching.ROOT, env=os.environ | changes, capture_output=True, text=True
  )


def through_shell(redirected, more=""):
  """Runs the code with redirected streams; returns status, output and errors."""
  command = f'"$0" -c "$1" {redirected}'
  done = subprocess.run(
    ["bash", "-c", command, sys.executable, PRINT + more],
    cwd=launching.ROOT,
    capture_output=True,
    text=True,
  )
  return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
  ("encoding", "line"),
  [
    ("ascii", r"Gr\xfcnland \u6c34\u7530 \udcff"),
    ("ascii:strict", r"Gr\xfcnland \u6c34\u7530 \udcff"),
    ("utf-8", r"Grünland 水田 \udcff"),
  ],
)
def test_characters_that_the_encoding_lacks_become_escapes(encoding, line):
  done = run(PRINT, PYTHONIOENCODING=encoding)
  assert (done.returncode, done.stdout, done.stderr) == (0, f"{line}\n", "")


@pytest.mark.parametrize(
  "redirected", ["| true", ">&-", "2>&-", ">&- 2>&-", ">&- 2>&- <&-", ">/dev/full 2>&1", "2>/dev/full >&2"]
)
def test_work_goes_on_if_nobody_takes_the_output(redirected, tmp_path):
  done = tmp_path / "done"
  more = f"""
print("x" * 100_000, flush=True)
print("x" * 100_000, file=sys.stderr, flush=True)
with open({str(done)!r}, "w") as file:
  logging.warning("not into the file")
  file.write("done")
"""
  status, _, err = through_shell(f"{redirected}; exit ${{PIPESTATUS[0]}}", more)
  assert (status, done.read_text()) == (0, "done")
  assert "Traceback" not in err


def test_a_full_disk_is_told_once():
  status, _, err = through_shell(">/dev/full", 'print("more", flush=True)\nprint("and more")')
  reason = "no space left on device"
  assert (status, err) == (0, f"warning: standard output is incomplete, as it cannot be written: {reason}\n")


def test_a_slow_reader_of_a_non_blocking_stream_gets_everything():
  status, out, err = through_shell(
    "| (sleep 0.2; cat)", 'import os\nos.set_blocking(1, False)\nprint("x" * 1_000_000)\nprint("end")'
  )
  assert (status, err) == (0, "")
  assert out.endswith("x\nend\n")
  assert len(out) > 1_000_000


def test_messages_of_libraries_are_one_line():
  done = run(
    PRINT
    + """
from absl import flags, logging as absl_logging
flags.FLAGS(["program"])
absl_logging.use_absl_handler()
logging.root.setLevel(logging.INFO)
logging.getLogger("some.library").info("working")
logging.getLogger("some.library").warning("cannot read\\n  %s", "\\x1b[31mit")
warnings.warn("obsolete\\nindeed")
try:
  raise ValueError
except ValueError:
  logging.exception("failed")
"""
  )
  assert done.stderr.splitlines() == [
    r"warning: cannot read \x1b[31mit",
    "warning: obsolete indeed",
    "error: failed",
  ]


def test_messages_are_on_lines_beside_the_progress_bar():
  done = run(
    PRINT
    + """
from absl import flags, logging as absl_logging
flags.FLAGS(["program"])
absl_logging.use_absl_handler()
import tqdm
with tqdm.tqdm(total=2, desc="training") as bar:
  bar.update()
  logging.getLogger().warning("too bright")
  warnings.warn("too dark")
  bar.update()
"""
  )
  lines = done.stderr.replace("\r", "\n").splitlines()
  assert [line for line in lines if "too" in line] == ["warning: too bright", "warning: too dark"]


def test_control_characters_become_escapes():
  assert streams.one_line("a\r\n\tb\x1b[2J\x07 ü 水") == r"a b\x1b[2J\x07 ü 水"

"""Standard output and error for any text and any reader, and library messages in one line each."""

import contextlib
import errno
import io
import logging
import os
import select
import sys
import warnings

from absl import logging as absl_logging


def prepare() -> None:
  """Prepares the standard streams of a command; call it before anything is printed.

  Characters that the encoding of a stream lacks are written as escapes. What nobody reads (a closed pipe or
  terminal) or what a full disk does not take is dropped, so that it ends no training. Log records and
  warnings, also those of libraries, are one line without the place in the code. Streams that were replaced,
  as in tests, are left as they are.
  """
  for number, name in ((1, "stdout"), (2, "stderr")):
    stream = getattr(sys, name)
    if stream is None:
      _occupy(number)
      nothing = io.FileIO(os.devnull, "w")
      setattr(sys, name, io.TextIOWrapper(io.BufferedWriter(nothing), errors="replace"))
    elif stream is getattr(sys, f"__{name}__") and isinstance(stream, io.TextIOWrapper):
      setattr(sys, name, _tolerant(stream))
  handler = absl_logging.get_absl_handler().python_handler
  handler.setFormatter(_OneLine())
  handler.setStream(_BesideBars())
  handler.addFilter(_is_told)
  warnings.showwarning = _show_warning


def one_line(text: str) -> str:
  """Returns a text in one line; control characters, which could change the terminal, become escapes."""
  line = " ".join(text.split())
  return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in line)


def _occupy(number):
  """Opens a file descriptor that is closed: the next file would get it, with the messages of C libraries."""
  try:
    os.fstat(number)
  except OSError:
    nothing = os.open(os.devnull, os.O_RDWR)
    if nothing != number:
      os.dup2(nothing, number)
      os.close(nothing)


def _tolerant(stream):
  stream.flush()
  return io.TextIOWrapper(
    io.BufferedWriter(_Output(stream.fileno(), "w", closefd=False)),
    encoding=stream.encoding,
    errors="backslashreplace",
    line_buffering=stream.line_buffering,
  )


class _Output(io.FileIO):
  """A stream that drops what cannot be written."""

  _told = False

  def write(self, data) -> int:
    try:
      while (written := super().write(data)) is None:
        # A parent process made the stream non-blocking.
        select.select([], [self], [])
      return written
    except OSError as error:
      self._tell(error)
      return len(data)

  def _tell(self, error):
    if error.errno != errno.EPIPE and self.fileno() == 1 and not self._told:
      self._told = True
      reason = error.strerror.lower()
      print(f"warning: standard output is incomplete, as it cannot be written: {reason}", file=sys.stderr)


class _BesideBars(io.TextIOBase):
  """Standard error for lines that a progress bar must not share."""

  def write(self, text: str) -> int:
    """Writes lines in place of the bars, which follow below."""
    # Without bars there is no need to import tqdm.
    tqdm = sys.modules.get("tqdm")
    with contextlib.nullcontext() if tqdm is None else tqdm.tqdm.external_write_mode(file=sys.stderr):
      return sys.stderr.write(text)

  def flush(self) -> None:
    """Flushes standard error."""
    sys.stderr.flush()


class _OneLine(logging.Formatter):
  """Formats records as "warning: message"."""

  def format(self, record: logging.LogRecord) -> str:
    return one_line(f"{record.levelname.lower()}: {record.getMessage()}")


def _is_told(record: logging.LogRecord) -> bool:
  """Whether users see a record: what libraries say of their progress is for their authors."""
  return record.name == "absl" or record.levelno >= logging.WARNING


def _show_warning(message, category, filename, lineno, file=None, line=None):
  print(one_line(f"warning: {message}"), file=file or _BesideBars())

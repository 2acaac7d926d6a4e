"""Runs the installed command mtl-hsi as a process, with progress and cancel."""

import os
import queue
import re
import shutil
import subprocess
import threading

from processing.core.ProcessingConfig import ProcessingConfig
from qgis.core import QgsProcessingException

SETTING = "MTL_HSI_COMMAND"

# QGIS sets these for its own Python and libraries; the command has others.
_OF_QGIS = ("PYTHONHOME", "PYTHONPATH", "GDAL_DATA", "GDAL_DRIVER_PATH", "PROJ_LIB", "PROJ_DATA")
# A progress bar, such as "training:  12%|#   | 3/20".
_BAR = re.compile(r"^(?P<what>[\w ]+):\s+(?P<percent>\d+)%\|")
_ERROR = "error: "
# Seconds between two looks at the cancel button.
_PAUSE = 0.2


def run(arguments, feedback):
  """Runs the command and passes its messages on.

  Args:
    arguments: of the command, strings.
    feedback: QgsProcessingFeedback.

  Raises:
    QgsProcessingException: the command is not found, fails or is cancelled; the text says why.
  """
  line = [_find(), *arguments]
  feedback.pushCommandInfo(subprocess.list2cmdline(line))
  options = {"creationflags": subprocess.CREATE_NO_WINDOW} if os.name == "nt" else {}
  try:
    process = subprocess.Popen(
      line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=_environment(), **options
    )
  except OSError as error:
    raise QgsProcessingException(f"{line[0]} cannot be started: {error}") from error
  messages = queue.Queue()
  # Reading blocks, so that the button would not be looked at.
  reader = threading.Thread(target=_read, args=(process.stdout, messages), daemon=True)
  reader.start()
  last = ""
  while (message := _next(messages)) is not None:
    if feedback.isCanceled():
      process.terminate()
      process.wait()
      raise QgsProcessingException("Cancelled. The same call continues a run that was training.")
    last = _show(message, feedback) or last
  if process.wait():
    raise QgsProcessingException(last or f"mtl-hsi ended with status {process.returncode}")


def _find():
  given = ProcessingConfig.getSetting(SETTING)
  found = given or shutil.which("mtl-hsi")
  if not found:
    raise QgsProcessingException(
      "The command mtl-hsi is not on the PATH. Install it in a separate environment (pipx install "
      "mtl-hsi), or set its path in Settings, Options, Processing, Providers, Hyperspectral land cover."
    )
  return found


def _environment():
  kept = {name: value for name, value in os.environ.items() if name not in _OF_QGIS}
  return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}


def _read(stream, messages):
  """Puts every line into the queue, and every state of a progress bar; None at the end."""
  line = bytearray()
  while byte := stream.read(1):
    if byte in b"\r\n":
      messages.put(line.decode("utf-8", "replace"))
      line.clear()
    else:
      line += byte
  messages.put(line.decode("utf-8", "replace"))
  messages.put(None)


def _next(messages):
  """Returns the next message, an empty one if there is none yet, or None at the end."""
  try:
    return messages.get(timeout=_PAUSE)
  except queue.Empty:
    return ""


def _show(message, feedback):
  """Shows a message, and returns it if it is not a progress bar."""
  if bar := _BAR.match(message):
    feedback.setProgressText(bar["what"])
    feedback.setProgress(int(bar["percent"]))
    return ""
  if message.startswith(_ERROR):
    # It becomes the text of the exception.
    return message[len(_ERROR) :]
  if message.strip():
    feedback.pushWarning(message) if message.lower().startswith("warning") else feedback.pushInfo(message)
  return message.strip()

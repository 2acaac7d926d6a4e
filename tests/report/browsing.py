"""A headless Chromium, spoken to through the pipe of its DevTools: pages as they are, asked by scripts."""

import contextlib
import json
import os
import re
import select
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_SECONDS = 60

# What scripts find at hand, of the page's first viewer.
_TOOLS = """
const root = document.querySelector(".viewer"), find = (selector) => root.querySelector(selector);
const canvas = find("canvas"), shown = (key) => find(`[data-show=${key}]`).textContent;
const place = () => find(".place").textContent.split(/[;:]/)[0];
const event = (kind, x, y, more) => {
  const box = canvas.getBoundingClientRect();
  const at = { clientX: box.left + canvas.clientLeft + x, clientY: box.top + canvas.clientTop + y };
  const mouse = { bubbles: true, cancelable: true, pointerId: 1, pointerType: "mouse" };
  const Kind = kind === "wheel" ? WheelEvent : PointerEvent;
  return canvas.dispatchEvent(new Kind(kind, { ...mouse, ...at, ...more }));
};
// The middle of a pixel, seen whole, on the canvas.
const middle = (row, column, height, width) => {
  const [w, h] = [canvas.clientWidth, canvas.clientHeight], scale = Math.min(w / width, h / height);
  const [left, top] = [(w - width * scale) / 2, (h - height * scale) / 2];
  return [left + (column + 0.5) * scale, top + (row + 0.5) * scale];
};
const colour = (x, y) => {
  const ratio = canvas.width / canvas.clientWidth;
  // The canvas itself would warn of being read.
  const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, -x * ratio, -y * ratio);
  return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
"""
_READY = """(async () => {
  while (document.querySelector(".viewer:not(.viewing)")) await new Promise((done) => setTimeout(done, 10));
})()"""


class Browser:
  """One Chromium with one page open at a time; `said` is what its console and its log said since."""

  def __init__(self, process: subprocess.Popen, sending: int, receiving: int):
    self._process, self._sending, self._receiving = process, sending, receiving
    self._buffer, self._count, self._session = b"", 0, {}
    self.said, self._loaded, self._chooser = [], False, None
    target = self.send("Target.createTarget", url="about:blank")["targetId"]
    session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    self._session = {"sessionId": session}
    for domain in ("Page", "Runtime", "Log"):
      self.send(f"{domain}.enable")

  def send(self, method: str, **parameters) -> dict:
    """Sends a command and waits for its result."""
    self._count += 1
    message = {"id": self._count, "method": method, "params": parameters, **self._session}
    os.write(self._sending, json.dumps(message).encode() + b"\0")
    while (answer := self._receive()).get("id") != self._count:
      self._note(answer)
    assert "error" not in answer, answer["error"]
    return answer["result"]

  def open(self, path: Path, width: int = 1000) -> None:
    """Opens a page in a window of that width and waits for its viewers."""
    self.load(path, width)
    self.send("Runtime.evaluate", expression=_READY, awaitPromise=True)

  def load(self, path: Path, width: int = 1000) -> None:
    """Opens a page in a window of that width."""
    self.said, self._loaded = [], False
    self.send(
      "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
    )
    self.send("Page.navigate", url=path.as_uri())
    while not self._loaded:
      self._note(self._receive())

  def ask(self, body: str):
    """What the body of a function returns, which has `_TOOLS` at hand."""
    return self.run(_TOOLS + body)

  def point(self, row: int, column: int, height: int, width: int) -> None:
    """Moves the mouse to a pixel of a map that is seen whole."""
    x, y = self.ask(
      f"""
      canvas.scrollIntoView({{ block: "center" }});
      const box = canvas.getBoundingClientRect(), [x, y] = middle({row}, {column}, {height}, {width});
      return [box.left + canvas.clientLeft + x, box.top + canvas.clientTop + y];
      """
    )
    self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

  def press(self, *keys: str) -> None:
    """Presses keys one after the other, as they are named in `KeyboardEvent.key`."""
    for key in keys:
      for kind in ("rawKeyDown", "keyUp"):
        # Tab moves the focus by its code.
        self.send(
          "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=9 if key == "Tab" else 0
        )

  def choose(self, key: str, path: Path) -> None:
    """Presses a key that opens a chooser of files, and chooses a file in it."""
    self.send("Page.setInterceptFileChooserDialog", enabled=True)
    self._chooser = None
    self.press(key)
    while self._chooser is None:
      self._note(self._receive())
    self.send("DOM.setFileInputFiles", files=[str(path)], backendNodeId=self._chooser)
    self.send("Page.setInterceptFileChooserDialog", enabled=False)

  def run(self, body: str):
    """What the body of a function returns."""
    found = self.send(
      "Runtime.evaluate", expression=f"(async () => {{{body}}})()", awaitPromise=True, returnByValue=True
    )
    assert "exceptionDetails" not in found, found["exceptionDetails"]
    return found["result"].get("value")

  def _note(self, event):
    self._loaded |= event["method"] == "Page.loadEventFired"
    if event["method"] == "Page.fileChooserOpened":
      self._chooser = event["params"]["backendNodeId"]
    if event["method"] in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
      self.said.append(event["params"])

  def _receive(self):
    while b"\0" not in self._buffer:
      ready, _, _ = select.select([self._receiving], [], [], _SECONDS)
      part = os.read(self._receiving, 2**20) if ready else b""
      assert part, "Chromium does not answer"
      self._buffer += part
    message, _, self._buffer = self._buffer.partition(b"\0")
    return json.loads(message)


def require_chromium() -> None:
  """Skips a test without Chromium; .ci/run sets a variable, so that nothing is ever skipped there."""
  if CHROMIUM is None:
    missing = "no Chromium on the path; on Debian: apt install chromium"
    pytest.fail(missing) if os.environ.get("MTL_HSI_BROWSER") == "required" else pytest.skip(missing)


@contextlib.contextmanager
def browser(directory: Path) -> Iterator[Browser]:
  """A Chromium with its profile in a directory; it reads file descriptor 3 and writes 4."""
  there, sending = os.pipe()
  receiving, back = os.pipe()
  options = f"--headless --no-sandbox --disable-gpu --remote-debugging-pipe --user-data-dir={directory}"
  command = f'exec "$0" {options} 3<&{there} 4>&{back}'
  quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
  process = subprocess.Popen(["bash", "-c", command, CHROMIUM], pass_fds=(there, back), **quiet)
  os.close(there)
  os.close(back)
  try:
    yield Browser(process, sending, receiving)
  finally:
    os.close(sending)
    process.terminate()
    process.wait(_SECONDS)
    os.close(receiving)


_COLOURS = """
const ground = (node) => {
  const own = getComputedStyle(node).backgroundColor;
  return own === "rgba(0, 0, 0, 0)" ? ground(node.parentElement) : own;
};
return chosen.map((part) => {
  const node = document.querySelector(part);
  return [part, getComputedStyle(node).color, ground(node)];
});
"""


def hard_to_read(page: Browser, chosen: list[str]) -> list[tuple[str, str]]:
  """Returns which of the elements have less contrast than WCAG asks of small text, in light or in dark.

  Args:
    page: the page, which must follow the scheme.
    chosen: selectors; the first one is that of the page as a whole.
  """
  found, grounds = [], []
  for scheme in ("light", "dark"):
    feature = {"name": "prefers-color-scheme", "value": scheme}
    page.send("Emulation.setEmulatedMedia", features=[feature])
    seen = page.run(f"const chosen = {json.dumps(chosen)};{_COLOURS}")
    found += [(scheme, part) for part, colour, ground in seen if _contrast(colour, ground) < 4.5]
    grounds.append(_luminance(seen[0][2]))
  page.send("Emulation.setEmulatedMedia", features=[])
  assert grounds[0] > 0.9
  assert grounds[1] < 0.1
  return found


def _luminance(colour: str) -> float:
  """Relative _luminance by WCAG 2 of a colour such as "rgb(1, 2, 3)"."""
  parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
  linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
  return float(np.dot((0.2126, 0.7152, 0.0722), linear))


def _contrast(one: str, other: str) -> float:
  low, high = sorted(map(_luminance, (one, other)))
  return (high + 0.05) / (low + 0.05)

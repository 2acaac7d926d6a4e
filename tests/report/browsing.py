"""A page in a headless Chromium: what its console says, and what a script finds there."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_ANSWER = re.compile(r'<pre id="answer">(.*?)</pre>', re.DOTALL)

# Waits for the viewers, then runs a script's body `find => answer`.
_ASK = """
(async () => {
  const answer = document.createElement("pre");
  answer.id = "answer";
  try {
    for (let i = 0; i < 200 && document.querySelector(".viewer:not(.viewing)"); i++)
      await new Promise((done) => setTimeout(done, 20));
    // The window gets its size a little later than its page.
    await new Promise((done) => setTimeout(done, 200));
    const root = document.querySelector(".viewer");
    const find = (selector) => root.querySelector(selector);
    const canvas = find("canvas");
    const shown = (key) => find(`[data-show=${key}]`).textContent;
    const colour = (x, y) => {
      const ratio = canvas.width / canvas.clientWidth;
      // The canvas itself would warn of being read.
      const copy = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
      copy.drawImage(canvas, -x * ratio, -y * ratio);
      return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const event = (kind, x, y, more) => {
      const box = canvas.getBoundingClientRect();
      const place = { clientX: box.left + canvas.clientLeft + x, clientY: box.top + canvas.clientTop + y };
      const mouse = { bubbles: true, pointerId: 1, pointerType: "mouse" };
      canvas.dispatchEvent(new PointerEvent(kind, { ...mouse, ...place, ...more }));
    };
    const key = (name, more) =>
      canvas.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, ...more }));
    // The middle of a pixel of the scene, seen whole.
    const middle = (row, column, height, width) => {
      const [w, h] = [canvas.clientWidth, canvas.clientHeight], scale = Math.min(w / width, h / height);
      const [left, top] = [(w - width * scale) / 2, (h - height * scale) / 2];
      return [left + (column + 0.5) * scale, top + (row + 0.5) * scale];
    };
    answer.textContent = JSON.stringify(await (async () => { BODY })());
  } catch (error) {
    answer.textContent = JSON.stringify({ error: String(error.stack) });
  }
  document.body.append(answer);
})();
"""


def browse(page: Path, *arguments: str) -> subprocess.CompletedProcess:
  """Opens a page and ends; skips the test where there is no Chromium."""
  if _CHROMIUM is None:
    pytest.skip("no Chromium on this machine's path")
  return subprocess.run(
    [
      *(_CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
      *("--enable-logging=stderr", f"--user-data-dir={page.parent / 'profile'}", *arguments, page.as_uri()),
    ],
    capture_output=True,
    text=True,
    timeout=120,
    check=True,
  )


def console(outcome: subprocess.CompletedProcess) -> list[str]:
  """What the page's console said: errors, warnings and what its policy forbade."""
  return [line for line in outcome.stderr.splitlines() if "CONSOLE" in line]


def ask(text: str, directory: Path, body: str):
  """What the body of a script returns in a page, with `find`, `event`, `key` of its first viewer at hand."""
  script = _ASK.replace("BODY", body)
  allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
  # The page's policy runs no script but its own.
  text = text.replace("script-src ", f"script-src 'sha256-{allowed}' ", 1)
  text = text.replace("</body>", f"<script>{script}</script></body>")
  (directory / "asked.html").write_text(text, "utf-8")
  outcome = browse(directory / "asked.html", "--virtual-time-budget=10000", "--dump-dom")
  assert console(outcome) == []
  found = _ANSWER.search(outcome.stdout)
  assert found, outcome.stderr
  answer = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
  assert "error" not in answer, answer["error"]
  return answer

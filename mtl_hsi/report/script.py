"""The script of the page: viewers, the choice of a scene, and buttons for tables and pictures."""

from pathlib import Path

_PARTS = (
  "viewer_data.js",
  "viewer_spectrum.js",
  "viewer_scale.js",
  "viewer_canvas.js",
  "viewer_input.js",
  "viewer.js",
  "scene_choice.js",
  "copies.js",
)


def page_script() -> str:
  """Returns the script of the page."""
  return "\n".join(Path(__file__).with_name(name).read_text("utf-8") for name in _PARTS)

"""The encoding of text in a Shapefile that does not declare it."""

import re
from pathlib import Path

import geopandas

# Language drivers of a .dbf file that say nothing; GDAL writes the second one whatever the encoding is.
_UNDECLARED = (0, 0x57)
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+")
# Two bytes of a Chinese character in GB 2312, which begins GBK.
_CHINESE = re.compile(rb"([\xb0-\xf7][\xa1-\xfe])+")
_LETTER = re.compile(rb"[A-Za-z]")


def is_undeclared(path: Path) -> bool:
  """Returns whether neither a .cpg file nor the .dbf file of a Shapefile says how its text is encoded."""
  if any(path.with_suffix(suffix).is_file() for suffix in (".cpg", ".CPG")):
    return False
  columns = next((file for file in map(path.with_suffix, (".dbf", ".DBF")) if file.is_file()), None)
  if columns is None:
    return False
  with columns.open("rb") as file:
    head = file.read(30)
  return len(head) == 30 and head[29] in _UNDECLARED


def decoded(frame: geopandas.GeoDataFrame, name: str) -> tuple[geopandas.GeoDataFrame, tuple[str, ...]]:
  """Decodes text by the encoding that fits it.

  Args:
    frame: features whose text was read as ISO-8859-1, in which every byte is a character.
    name: name of the file, for the remark.

  Returns:
    The features, and a remark if they have text beyond ASCII.
  """
  columns = [key for key in frame.columns if key != frame.geometry.name and frame[key].dtype.kind in "OTU"]
  texts = [str(key) for key in frame.columns]
  texts += [text for key in columns for text in frame[key] if isinstance(text, str)]
  stored = [text.encode("latin-1") for text in texts if not text.isascii()]
  if not stored:
    return frame, ()
  encoding = find_encoding(stored)

  def decode(value):
    return value.encode("latin-1").decode(encoding, "replace") if isinstance(value, str) else value

  found = frame.copy()
  for key in columns:
    found[key] = frame[key].map(decode)
  found = found.rename(columns={key: decode(key) for key in frame.columns if key != frame.geometry.name})
  remark = f"{name} does not declare its encoding (.cpg) and is read as {encoding}; check the class names"
  return found, (remark,)


def find_encoding(stored: list[bytes]) -> str:
  """Returns UTF-8, GBK or Windows-1252, whichever fits all texts.

  Texts that are not UTF-8 are Chinese if all bytes beyond ASCII come in pairs that are Chinese characters,
  and Latin letters do not touch them, as in most words of European languages.
  """
  try:
    for text in stored:
      text.decode("utf-8")
  except UnicodeDecodeError:
    return "gbk" if all(map(_is_chinese, stored)) else "cp1252"
  return "utf-8"


def _is_chinese(text: bytes) -> bool:
  for found in _BEYOND_ASCII.finditer(text):
    around = text[max(found.start() - 1, 0) : found.start()] + text[found.end() : found.end() + 1]
    if not _CHINESE.fullmatch(found[0]) or _LETTER.search(around):
      return False
  return True

"""Features in GML."""

from pathlib import Path

from fuzz import features


def seeds(folder: Path) -> list[bytes]:
  return features.seeds(folder / "seed.gml", driver="GML")


def feed(data: bytes, folder: Path) -> None:
  features.feed(data, folder / "a.gml")

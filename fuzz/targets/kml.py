"""Features in KML."""

from pathlib import Path

from fuzz import features

_PLACEMARK = b"""<kml xmlns="http://www.opengis.net/kml/2.2"><Document><NetworkLink><Link><href>http://127.0.0.1:9/a.kml</href>
</Link></NetworkLink><Folder><name>fields</name><Placemark><name>maize</name><Point><coordinates>15.00006,48.75281,0
</coordinates></Point></Placemark></Folder></Document></kml>"""


def seeds(folder: Path) -> list[bytes]:
  return [*features.seeds(folder / "seed.kml", to="EPSG:4326", driver="KML"), _PLACEMARK]


def feed(data: bytes, folder: Path) -> None:
  features.feed(data, folder / "a.kml")

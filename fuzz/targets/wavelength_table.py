"""Tables of band centres and widths."""

from pathlib import Path

from mtl_hsi.scenes.images.wavelength_table import read_wavelength_table


def seeds(folder: Path) -> list[bytes]:
  return [
    b"wavelength (um), fwhm (um)\n0.4,0.01\n0.5,0.01\n",
    b"# by hand\n400\n500\n",
    b"band;centre;width\n1;400;10\n2;500;10\n",
    b"band centre nm\n400 10\n500 10\n",
  ]


def feed(data: bytes, folder: Path) -> None:
  path = folder / "a.csv"
  path.write_bytes(data)
  read_wavelength_table(path, 2, ("nm", "um", None)[len(data) % 3])

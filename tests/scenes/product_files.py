"""Writes small products in HDF5 as their providers do: the same names, axes, types and attributes."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import rasterio

# In EPSG:32633; the centre of the first pixel, as in PRISMA's metadata.
UPPER_LEFT = 500_015.0, 5_399_985.0
PRISMA_SCALE = {"Vnir": (0.0, 0.8), "Swir": (0.01, 0.6)}
# In the order of the file: descending, with the bands that are not acquired.
PRISMA_CENTRES = {"Vnir": (0.0, 0.0, 970.0, 950.0, 700.0, 450.0), "Swir": (2400.0, 1500.0, 980.0, 960.0, 0.0)}
EMIT_STEP = 0.000542232520256367


def save_prisma(
  path: Path,
  shape: tuple[int, int] = (4, 5),
  level: str = "L2D",
  centres: dict[str, Sequence[float]] = PRISMA_CENTRES,
  errors: dict[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
  """Writes a PRISMA product; returns the stored values of both cubes, `[row, band, column]`.

  Args:
    path: the file.
    shape: rows and columns.
    level: "L2D" or "L2C".
    centres: wavelengths of both detectors in the order of the file.
    errors: error matrix of each detector, of the shape of its cube; None writes zeros.
  """
  height, width = shape
  cubes = {}
  with h5py.File(path, "w") as file:
    fields = file.create_group(f"HDFEOS/SWATHS/PRS_{level}_HCO/Data Fields")
    for number, (name, bands) in enumerate(centres.items()):
      size = height, len(bands), width
      rows, channels, columns = np.indices(size)
      cubes[name] = (20_000 * number + 1000 * (channels + 1) + 100 * rows + columns + 1).astype(np.uint16)
      cubes[name][:, np.equal(bands, 0)] = 0
      cubes[name][0, :, 0] = 0
      fields[f"{name.upper()}_Cube"] = cubes[name]
      codes = np.zeros(size, np.uint8) if errors is None else errors[name]
      fields[f"{name.upper()}_PIXEL_L2_ERR_MATRIX"] = codes
      used = np.not_equal(bands, 0)
      file.attrs[f"List_Cw_{name}"] = np.array(bands, np.float32)
      file.attrs[f"List_Fwhm_{name}"] = np.where(used, 10 + number, 0).astype(np.float32)
      file.attrs[f"List_Cw_{name}_Flags"] = used.astype(np.uint8)
      lowest, highest = PRISMA_SCALE[name]
      file.attrs[f"L2Scale{name}Min"], file.attrs[f"L2Scale{name}Max"] = (
        np.float32(lowest),
        np.float32(highest),
      )
    file.attrs["Processing_Level"] = np.bytes_(level.removeprefix("L"))
    file.attrs["Product_StartTime"] = np.bytes_("2024-04-02T10:28:37.932")
    if level == "L2D":
      file.attrs["Epsg_Code"] = np.uint32(32633)
      left, top = UPPER_LEFT
      right, bottom = left + 30 * (width - 1), top - 30 * (height - 1)
      for corner, x, y in (
        ("UL", left, top),
        ("UR", right, top),
        ("LL", left, bottom),
        ("LR", right, bottom),
      ):
        file.attrs[f"Product_{corner}corner_easting"] = x
        file.attrs[f"Product_{corner}corner_northing"] = y
  return cubes


def save_prisma_scene(
  path: Path, reflectance: np.ndarray, centres: dict[str, Sequence[float]] = PRISMA_CENTRES
) -> Path:
  """Writes a PRISMA L2D product with the reflectance `[row, column, band]` of the bands that were acquired.

  They are those of VNIR and then of SWIR, in the order of `centres`.
  """
  save_prisma(path, reflectance.shape[:2], centres=centres)
  first = 0
  with h5py.File(path, "r+") as file:
    for name, bands in centres.items():
      acquired = np.flatnonzero(bands)
      lowest, highest = PRISMA_SCALE[name]
      values = np.moveaxis(reflectance[..., first : first + len(acquired)], -1, 1)
      stored = np.clip(65535 * (values - lowest) / (highest - lowest), 1, 65535)
      cube = file[f"HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/{name.upper()}_Cube"]
      cube[:, acquired.min() : acquired.max() + 1] = stored.astype(np.uint16)
      first += len(acquired)
  return path


def save_emit(
  path: Path,
  cube: np.ndarray,
  centres: Sequence[float],
  table: tuple[np.ndarray, np.ndarray] | None = None,
  good: Sequence[float] | None = None,
) -> Path:
  """Writes an EMIT L2A reflectance file.

  Args:
    path: the file.
    cube: reflectance `[downtrack, crosstrack, band]`.
    centres: wavelengths in nm.
    table: column and row in the sensor's image, from 1, for every pixel of the map; None makes a map that
      is the image.
    good: 0 for flagged bands; None writes no flags.
  """
  if table is None:
    rows, columns = np.indices(cube.shape[:2])
    table = columns + 1, rows + 1
  with h5py.File(path, "w") as file:
    _with_fill(file.create_dataset("reflectance", data=cube.astype(np.float32)))
    bands = file.create_group("sensor_band_parameters")
    bands["wavelengths"] = np.array(centres, np.float32)
    bands["fwhm"] = np.full(len(centres), 8.5, np.float32)
    if good is not None:
      bands["good_wavelengths"] = np.array(good, np.float32)
    location = file.create_group("location")
    location["glt_x"], location["glt_y"] = (part.astype(np.int32) for part in table)
    for name in ("lon", "lat", "elev"):
      location[name] = np.zeros(cube.shape[:2])
    file.attrs["geotransform"] = np.array([10.0, EMIT_STEP, 0, 50.0, 0, -EMIT_STEP])
    file.attrs["spatial_ref"] = rasterio.CRS.from_epsg(4326).to_wkt()
    file.attrs["time_coverage_start"] = "2022-09-03T16:31:29+0000"
    _name_dimensions(file, "reflectance", ("downtrack", "crosstrack", "bands"))
    for name in bands:
      _name_dimensions(file, f"sensor_band_parameters/{name}", ("bands",))
    for name in ("lon", "lat", "elev"):
      _name_dimensions(file, f"location/{name}", ("downtrack", "crosstrack"))
    for name in ("glt_x", "glt_y"):
      _name_dimensions(file, f"location/{name}", ("ortho_y", "ortho_x"))
  return path


def save_emit_mask(path: Path, flags: np.ndarray) -> Path:
  """Writes an EMIT L2A mask file with flags `[downtrack, crosstrack, 8]`."""
  names = ("Cloud flag", "Cirrus flag", "Water flag", "Spacecraft Flag", "Dilated Cloud Flag", "AOD550")
  with h5py.File(path, "w") as file:
    _with_fill(file.create_dataset("mask", data=flags.astype(np.float32)))
    file["sensor_band_parameters/mask_bands"] = np.array([*names, "H2O (g cm-2)", "Aggregate Flag"], object)
  return path


def save_tanager(
  path: Path,
  cube: np.ndarray,
  centres: Sequence[float],
  good: Sequence[int] | None = None,
  group: str = "GRIDS",
  layers: dict[str, np.ndarray] | None = None,
) -> Path:
  """Writes a Tanager surface reflectance file.

  Args:
    path: the file.
    cube: reflectance `[row, column, band]`.
    centres: wavelengths in nm.
    good: 0 for flagged bands; None writes no flags.
    group: "GRIDS" for an ortho product, "SWATHS" for a basic one.
    layers: further layers, such as beta_cloud_mask, `[row, column]`.
  """
  height, width, _ = cube.shape
  with h5py.File(path, "w") as file:
    fields = file.create_group(f"HDFEOS/{group}/HYP/Data Fields")
    values = np.moveaxis(cube, -1, 0).astype(np.float32)
    data = fields.create_dataset("surface_reflectance", data=values, compression="gzip")
    _with_fill(data)
    data.attrs["wavelengths"] = np.array(centres, np.float64)
    data.attrs["fwhm"] = np.full(len(centres), 5.5)
    if good is not None:
      data.attrs["good_wavelengths"] = np.array(good, np.uint8)
    for name, layer in (layers or {}).items():
      fields[name] = layer.astype(np.uint8)
    if group == "GRIDS":
      file[f"HDFEOS/{group}/HYP"].attrs["epsg_code"] = 32633
      text = (
        'GROUP=GridStructure\n\tGROUP=GRID_1\n\t\tGridName="HYP"\n'
        f"\t\tXDim={width}\n\t\tYDim={height}\n"
        "\t\tUpperLeftPointMtrs=(500000.000000,5400000.000000)\n"
        f"\t\tLowerRightMtrs=({500_000 + 30 * width}.000000,{5_400_000 - 30 * height}.000000)\n"
        "\t\tProjection=HE5_GCTP_UTM\n\t\tZoneCode=33\n\t\tGridOrigin=HE5_HDFE_GD_UL\n"
        "\t\tPixelRegistration=HE5_HDFE_CORNER\n\tEND_GROUP=GRID_1\nEND_GROUP=GridStructure\nEND\n"
      )
      file["HDFEOS INFORMATION/StructMetadata.0"] = np.bytes_(text.ljust(1000, "\0"))
  return path


def save_aviris(
  path: Path,
  cube: np.ndarray,
  centres: Sequence[float],
  transform: str | None = "500000 4 0 5400000 0 -4",
  crs: int = 32633,
  mapping: str = "transverse_mercator",
) -> Path:
  """Writes an AVIRIS L2A reflectance file.

  Args:
    path: the file.
    cube: reflectance `[row, column, band]`.
    centres: wavelengths in nm.
    transform: the attribute GeoTransform, or None to leave it out.
    crs: EPSG code.
    mapping: name of the variable with the reference system.
  """
  height, width, _ = cube.shape
  with h5py.File(path, "w") as file:
    file["northing"] = 5_400_000 - 4 * (np.arange(height) + 0.5)
    file["easting"] = 500_000 + 4 * (np.arange(width) + 0.5)
    file[mapping] = np.bytes_("")
    file[mapping].attrs["spatial_ref"] = file[mapping].attrs["crs_wkt"] = rasterio.CRS.from_epsg(crs).to_wkt()
    if transform is not None:
      file[mapping].attrs["GeoTransform"] = transform
    group = file.create_group("reflectance")
    group["wavelength"] = np.array(centres, np.float32)
    group["fwhm"] = np.full(len(centres), 7.5, np.float32)
    data = group.create_dataset(
      "reflectance", data=np.moveaxis(cube, -1, 0).astype(np.float32), compression="gzip"
    )
    _with_fill(data)
    data.attrs["grid_mapping"] = mapping
    for name, dimension in (("northing", 1), ("easting", 2)):
      file[name].make_scale(name)
      data.dims[dimension].attach_scale(file[name])
    group["wavelength"].make_scale("wavelength")
    data.dims[0].attach_scale(group["wavelength"])
  return path


def _with_fill(data: h5py.Dataset) -> None:
  data.attrs["_FillValue"] = np.array([-9999], np.float32)


def _name_dimensions(file: h5py.File, name: str, dimensions: Sequence[str]) -> None:
  """Names the dimensions of an array, as netCDF 4 does."""
  data = file[name]
  for axis, dimension in enumerate(dimensions):
    if dimension not in file:
      file[dimension] = np.zeros(data.shape[axis], np.float32)
      text = f"This is a netCDF dimension but not a netCDF variable.{data.shape[axis]:10d}"
      file[dimension].make_scale(text)
    data.dims[axis].attach_scale(file[dimension])

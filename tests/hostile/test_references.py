"""What a file says never leads to another file, to the network, or out of its directory."""

import json
import re
import select
import socket
import zipfile

import h5py
import numpy as np
import pytest
import shapely

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import files
from mtl_hsi.scenes.images.arrays import list_arrays, read_array
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.labels.features import label_features
from mtl_hsi.scenes.labels.label_file import Cube, read_label_file
from mtl_hsi.scenes.labels.label_set import Grid, Reading
from mtl_hsi.scenes.labels.vectors import read_features
from mtl_hsi.scenes.scene import Georeference
from tests.scenes import formats

_GRID = Grid((12, 10), Georeference(formats.CRS, tuple(formats.TRANSFORM)[:6]))
_FEATURES = {
  "type": "FeatureCollection",
  "features": [
    {"type": "Feature", "properties": {"class": 1}, "geometry": {"type": "Point", "coordinates": [15, 48.7]}}
  ],
}


@pytest.fixture
def host(monkeypatch):
  """Yields the address of a host that must never be contacted."""
  # A request, which would fail the test, ends soon.
  monkeypatch.setenv("GDAL_HTTP_TIMEOUT", "2")
  with socket.create_server(("127.0.0.1", 0)) as server:
    yield f"http://127.0.0.1:{server.getsockname()[1]}"
    assert select.select([server], [], [], 0)[0] == []


def _assert_rejected(path, content, message):
  path.write_text(content)
  with pytest.raises(RequestError, match=message):
    label_features(read_features(path, None, Reading()), _GRID, Reading())


def test_geojson_may_not_link_to_its_reference_system(tmp_path, host):
  link = {"type": "link", "properties": {"href": f"{host}/crs", "type": "proj4"}}
  _assert_rejected(
    tmp_path / "a.geojson",
    json.dumps({**_FEATURES, "crs": link}),
    "refers to its coordinate reference system .*; save it again",
  )


def test_geojson_may_not_name_its_reference_system_twice(tmp_path, host):
  link = json.dumps({"type": "link", "properties": {"href": f"{host}/crs", "type": "proj4"}})
  named = '"crs": null, ' + json.dumps(_FEATURES)[1:]
  _assert_rejected(
    tmp_path / "a.geojson", f'{{"crs": {link}, {named}', "an object has two members of the same name"
  )


@pytest.mark.parametrize("suffix", [".geojson", ".json", ".gpkg", ".shp", ".fgb"])
@pytest.mark.parametrize("form", ["commands", "virtual"])
def test_commands_and_virtual_layers_instead_of_features(tmp_path, host, suffix, form):
  source = f"/vsicurl/{host}/a.geojson"
  commands = {"type": "gdal_streamed_alg", "command_line": f"gdal vector pipeline ! read {source}"}
  layer = f'<OGRVRTLayer name="a"><SrcDataSource>{source}</SrcDataSource></OGRVRTLayer>'
  content = json.dumps(commands) if form == "commands" else f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>"
  _assert_rejected(tmp_path / f"a{suffix}", content, "is not GeoJSON|cannot be read as features")


def test_kml_does_not_follow_links(tmp_path, host):
  path = tmp_path / "a.kml"
  link = f"<NetworkLink><name>a</name><Link><href>{host}/a.kml</href></Link></NetworkLink>"
  style = f"<Style><IconStyle><Icon><href>{host}/a.png</href></Icon></IconStyle></Style>"
  mark = (
    f"<Placemark><name>maize</name><styleUrl>{host}/s#a</styleUrl>{style}"
    "<Point><coordinates>15.00006,48.75281</coordinates></Point></Placemark>"
  )
  path.write_text(
    f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{style}{link}{mark}</Document></kml>'
  )
  assert _features(path).names == {1: "maize"}


def test_gml_does_not_fetch_schemas_or_linked_elements(tmp_path, host):
  path = tmp_path / "a.gml"
  formats.save_features(path, [formats.in_crs(shapely.Point(1, 1))], driver="GML", crop=["maize"])
  text = path.read_text()
  assert "schemaLocation" in text
  text = re.sub(
    r'schemaLocation="[^"]*"', f'schemaLocation="{host} {host}/wfs?request=DescribeFeatureType"', text
  )
  text = text.replace(
    "<gml:featureMember>" if "<gml:featureMember>" in text else "<ogr:featureMember>",
    f'<gml:featureMember xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="{host}/more.gml#a"/>\n'
    + ("<gml:featureMember>" if "<gml:featureMember>" in text else "<ogr:featureMember>"),
    1,
  )
  path.write_text(text)
  assert _features(path).names == {1: "maize"}
  assert not (tmp_path / "a.gfs").exists()


@pytest.mark.parametrize("suffix", [".kml", ".gml", ".xml"])
def test_document_types_are_rejected(tmp_path, suffix):
  path = tmp_path / f"a{suffix}"
  path.write_text('<!DOCTYPE a [<!ENTITY e SYSTEM "/etc/passwd">]><a>&e;</a>')
  with pytest.raises(RequestError, match=r"the document type \(a\) is not allowed"):
    read_label_file(path, None, Cube(path, (12, 10, 1), _GRID, None), Reading(), None)


@pytest.mark.parametrize("name", ["a.shp", "a.vrt", "a.gdb.vrt", "a00000001.csv"])
def test_a_file_geodatabase_has_only_its_own_files(tmp_path, host, name):
  path = tmp_path / "a.gdb"
  formats.save_features(path, [formats.in_crs(shapely.Point(1, 1))], driver="OpenFileGDB", crop=["maize"])
  assert _features(path).names == {1: "maize"}
  (path / name).write_text(f"<OGRVRTDataSource>{host}</OGRVRTDataSource>")
  with pytest.raises(RequestError, match=f"a.gdb has '{name}', which is no file of a FileGDB"):
    _features(path)
  (path / name).unlink()
  (path / "a00000009.gdbtable").unlink()
  (path / "a00000009.gdbtable").symlink_to("/etc/passwd")
  with pytest.raises(RequestError, match="which is no file of a FileGDB"):
    _features(path)


def test_members_of_a_zip_stay_in_its_folder(tmp_path):
  with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
    archive.writestr("../../up.geojson", json.dumps(_FEATURES))
  with pytest.raises(RequestError):
    _features(tmp_path / "a.zip")
  assert not (tmp_path.parent / "up.geojson").exists()


@pytest.mark.parametrize("suffix", [".tif", ".vrt", ".dat"])
def test_a_virtual_raster(tmp_path, host, suffix):
  path, inner = tmp_path / f"a{suffix}", formats.save_raster(tmp_path / "b.tif", np.ones((2, 2), np.uint8))
  for source in (f"/vsicurl/{host}/a.tif", inner):
    path.write_text(
      '<VRTDataset rasterXSize="2" rasterYSize="2"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
      f"<SourceFilename>{source}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    words = (
      "format VRT, which is not supported"
      if suffix == ".vrt"
      else "refer to other files as virtual rasters do"
    )
    with pytest.raises(RequestError, match=f"{words}.*save it as GeoTIFF"):
      Image.open(path)


def test_a_system_or_overviews_elsewhere_are_never_opened(tmp_path, host):
  path = formats.save_raster(tmp_path / "a.tif", np.ones((4, 4, 1), np.uint8), crs=None)
  side = f'<MDI key="OVERVIEW_FILE">/vsicurl/{host}/a.ovr</MDI>'
  (tmp_path / "a.tif.aux.xml").write_text(
    f'<PAMDataset><SRS>{host}/crs</SRS><Metadata domain="OVERVIEWS">{side}</Metadata></PAMDataset>'
  )
  with pytest.raises(RequestError, match=r"a\.tif cannot be read as a raster"):
    Image.open(path)


def test_matlab_variables_in_other_files(tmp_path):
  other = formats.save_matlab_73(tmp_path / "other.mat", cube=np.ones((2, 3, 4)))
  (tmp_path / "secret").write_bytes(bytes(64))
  path = formats.save_matlab_73(tmp_path / "a.mat", gt=np.eye(3))
  with h5py.File(path, "r+") as file:
    file["linked"], file["nowhere"] = h5py.ExternalLink(other, "cube"), h5py.SoftLink("/absent")
    file.create_dataset("outside", (4,), "f8", external=[(str(tmp_path / "secret"), 0, 32)])
    layout = h5py.VirtualLayout((4, 3, 2), "f8")
    layout[...] = h5py.VirtualSource(other, "cube", (4, 3, 2))
    file.create_virtual_dataset("virtual", layout)
  assert list_arrays(path).keys() == {"gt", "outside", "virtual"}
  for key, problem in (
    ("linked", "no array"),
    ("outside", "a numeric array"),
    ("virtual", "a numeric array"),
  ):
    with pytest.raises(RequestError, match=problem):
      read_array(path, key)
  np.testing.assert_array_equal(read_array(path, "gt"), np.eye(3))


@pytest.mark.parametrize("name", ["../up", "a/b", "a\0b", "..", "a" * 65, "a\n", "A", ""])
def test_scene_names_may_not_be_paths(tmp_path, name):
  np.savez(tmp_path / "a.npz", cube=np.arange(60).reshape(3, 4, 5), label=np.arange(12).reshape(3, 4))
  with pytest.raises(RequestError, match="must be a lower-case identifier of at most 64 characters"):
    files.read_scene(name, cube=tmp_path / "a.npz")


def _features(path):
  return label_features(read_features(path, None, Reading()), _GRID, Reading())


@pytest.mark.parametrize(
  ("read", "name"),
  [
    (Image.open, "a" * 300 + ".npz"),
    (Image.open, "a\0b.npz"),
    (Image.open, "a" * 300 + ".tif"),
    (_features, "a" * 5000 + ".gpkg"),
  ],
)
def test_impossible_paths(tmp_path, read, name):
  with pytest.raises(RequestError, match="no such file"):
    read(tmp_path / name)


def test_a_raster_with_pixels_without_extent(tmp_path):
  side = formats.save_envi(tmp_path / "a.dat", np.ones((2, 2, 1), np.uint8))
  side.write_text(re.sub(r"(map info = \{[^,]*,[^,]*,[^,]*,[^,]*,[^,]*),[^,]*,", r"\1, 0,", side.read_text()))
  with pytest.raises(RequestError, match="gives its pixels no extent on the ground"):
    Image.open(side)


@pytest.mark.parametrize("block", [0, 512])
@pytest.mark.parametrize("way", ["external", "virtual", "link"])
def test_pixels_of_an_hdf5_raster_in_other_files(tmp_path, way, block):
  secret = tmp_path / "secret.h5"
  with h5py.File(secret, "w") as file:
    file["data"] = np.arange(64, dtype=np.uint8).reshape(8, 8)
  with h5py.File(tmp_path / "a.h5", "w", userblock_size=block) as file:
    if way == "external":
      file.create_dataset("a", (8, 8), np.uint8, external=[(str(secret), 0, 64)])
    elif way == "virtual":
      layout = h5py.VirtualLayout((8, 8), np.uint8)
      layout[:] = h5py.VirtualSource(str(secret), "data", (8, 8))
      file.create_virtual_dataset("inner/a", layout)
    else:
      file["inner/a"] = h5py.ExternalLink(str(secret), "data")
  with pytest.raises(RequestError, match=r"the values of (inner/)?a are in other files"):
    Image.open(tmp_path / "a.h5")


def test_a_self_contained_hdf5_raster_is_read(tmp_path):
  with h5py.File(tmp_path / "a.h5", "w") as file:
    file["a"] = np.arange(64, dtype=np.uint8).reshape(8, 8)
  assert Image.open(tmp_path / "a.h5").read(slice(None), slice(None))[0][..., 0].max() == 63

"""The four public scenes of the letter: their files, classes, pixel counts and display bands."""

import dataclasses

_PAGE = "https://www.ehu.eus/ccwintco/index.php?title=Hyperspectral_Remote_Sensing_Scenes"
_EHU = "https://www.ehu.eus/ccwintco/uploads/"
_HYBRIDSN = "https://raw.githubusercontent.com/gokriznastic/HybridSN/master/data/"
_ZENODO = "https://zenodo.org/records/15771735/files/"
_HUGGING_FACE = "https://huggingface.co/datasets/danaroth/"


@dataclasses.dataclass(frozen=True)
class PublicFile:
  """One file of a public scene.

  Attributes:
    filename: its name on every host and on disk.
    key: name of the array in the file.
    sha256: hexadecimal digest of the whole file.
    urls: addresses of the file, the publisher first, then the mirrors in the order to try.
  """

  filename: str
  key: str
  sha256: str
  urls: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class PublicScene:
  """The known facts about a public scene.

  Attributes:
    name: the scene's name everywhere in the package.
    short_name: its name in config cells: in, sa, pu or pc.
    title: its name in prose.
    sensor: "AVIRIS" or "ROSIS".
    shape: rows, columns and bands of the cube.
    class_names: names of the classes 1..C.
    class_counts: labelled pixels of the classes 1..C.
    cube: file of the cube.
    labels: file of the label image.
    false_colour_bands: 0-based bands shown as red, green and blue; close to true colour.
    page_url: web page that links to the files.
    citation: source to cite in publications.
  """

  name: str
  short_name: str
  title: str
  sensor: str
  shape: tuple[int, int, int]
  class_names: tuple[str, ...]
  class_counts: tuple[int, ...]
  cube: PublicFile
  labels: PublicFile
  false_colour_bands: tuple[int, int, int]
  page_url: str
  citation: str


def _names(listing: str) -> tuple[str, ...]:
  return tuple(listing.split(", "))


def _file(filename: str, key: str, sha256: str, *folders: str) -> PublicFile:
  return PublicFile(filename, key, sha256, tuple(folder + filename for folder in folders))


_INDIAN_PINES = PublicScene(
  name="indian_pines",
  short_name="in",
  title="Indian Pines",
  sensor="AVIRIS",
  shape=(145, 145, 200),
  class_names=_names(
    "Alfalfa, Corn-notill, Corn-mintill, Corn, Grass-pasture, Grass-trees, Grass-pasture-mowed, "
    "Hay-windrowed, Oats, Soybean-notill, Soybean-mintill, Soybean-clean, Wheat, Woods, "
    "Buildings-Grass-Trees-Drives, Stone-Steel-Towers"
  ),
  class_counts=(46, 1428, 830, 237, 483, 730, 28, 478, 20, 972, 2455, 593, 205, 1265, 386, 93),
  cube=_file(
    "Indian_pines_corrected.mat",
    "indian_pines_corrected",
    "ec2f8808710919d566f70f0d4aa885aae1ddfd42b734aba71c5e12ca65450939",
    _EHU + "6/67/",
    _HYBRIDSN,
    _HUGGING_FACE + "indian_pines/resolve/main/",
  ),
  labels=_file(
    "Indian_pines_gt.mat",
    "indian_pines_gt",
    "65c4687a8ab04f6da4789799bc3bc4f6e88bccac3ed6a2e6ae367e5e6b9e429c",
    _EHU + "c/c4/",
    _HYBRIDSN,
    _HUGGING_FACE + "indian_pines/resolve/main/",
  ),
  false_colour_bands=(25, 15, 7),
  page_url=_PAGE,
  citation=(
    "M. F. Baumgardner, L. L. Biehl and D. A. Landgrebe, 220 Band AVIRIS Hyperspectral Image Data Set: "
    "June 12, 1992 Indian Pine Test Site 3, Purdue University Research Repository, 2015, doi:10.4231/R7RX991C"
  ),
)

_SALINAS = PublicScene(
  name="salinas",
  short_name="sa",
  title="Salinas",
  sensor="AVIRIS",
  shape=(512, 217, 204),
  # "Brocoli" and "Vinyard" are spelled as published.
  class_names=_names(
    "Brocoli_green_weeds_1, Brocoli_green_weeds_2, Fallow, Fallow_rough_plow, Fallow_smooth, Stubble, "
    "Celery, Grapes_untrained, Soil_vinyard_develop, Corn_senesced_green_weeds, Lettuce_romaine_4wk, "
    "Lettuce_romaine_5wk, Lettuce_romaine_6wk, Lettuce_romaine_7wk, Vinyard_untrained, "
    "Vinyard_vertical_trellis"
  ),
  class_counts=(
    *(2009, 3726, 1976, 1394, 2678, 3959, 3579, 11271),
    *(6203, 3278, 1068, 1927, 916, 1070, 7268, 1807),
  ),
  cube=_file(
    "Salinas_corrected.mat",
    "salinas_corrected",
    "5ec1c0d22f56d18ecd336f8e35735863c0f160682e04e0c18ef3f89a3334d87d",
    _EHU + "a/a3/",
    _HYBRIDSN,
    _ZENODO,
    _HUGGING_FACE + "salinas/resolve/main/",
  ),
  labels=_file(
    "Salinas_gt.mat",
    "salinas_gt",
    "ecfab4d31ef5553f097943235d8ea502038eb4a2067b2ad10b33e37c949955e2",
    _EHU + "f/fa/",
    _HYBRIDSN,
    _ZENODO,
    _HUGGING_FACE + "salinas/resolve/main/",
  ),
  false_colour_bands=(25, 15, 7),
  page_url=_PAGE,
  citation=(
    "Hyperspectral Remote Sensing Scenes, Grupo de Inteligencia Computacional, "
    "University of the Basque Country; AVIRIS image of Salinas Valley, California"
  ),
)

_PAVIA_CITATION = (
  "Hyperspectral Remote Sensing Scenes, Grupo de Inteligencia Computacional, "
  "University of the Basque Country; ROSIS image of Pavia provided by P. Gamba, University of Pavia"
)

_PAVIA_UNIVERSITY = PublicScene(
  name="pavia_university",
  short_name="pu",
  title="Pavia University",
  sensor="ROSIS",
  shape=(610, 340, 103),
  class_names=_names(
    "Asphalt, Meadows, Gravel, Trees, Painted metal sheets, Bare Soil, Bitumen, Self-Blocking Bricks, Shadows"
  ),
  class_counts=(6631, 18649, 2099, 3064, 1345, 5029, 1330, 3682, 947),
  cube=_file(
    "PaviaU.mat",
    "paviaU",
    "28447fa87f7a5797845e9a189c0da85e23b1d06a4ba7361e5ff44efbf834d2fb",
    _EHU + "e/ee/",
    _HYBRIDSN,
    _HUGGING_FACE + "pavia/resolve/main/",
  ),
  labels=_file(
    "PaviaU_gt.mat",
    "paviaU_gt",
    "23f6a426928f9b32984adffe659e29f554f9fb6c93b5a107528d308d5087a829",
    _EHU + "5/50/",
    _HYBRIDSN,
    _HUGGING_FACE + "pavia/resolve/main/",
  ),
  false_colour_bands=(55, 41, 12),
  page_url=_PAGE,
  citation=_PAVIA_CITATION,
)

_PAVIA_CENTRE = PublicScene(
  name="pavia_centre",
  short_name="pc",
  title="Pavia Centre",
  sensor="ROSIS",
  shape=(1096, 715, 102),
  # [inferred] The order on the publisher's page does not fit the label file; this one fits it better.
  class_names=_names(
    "Water, Trees, Meadows, Self-Blocking Bricks, Bare Soil, Asphalt, Bitumen, Tiles, Shadows"
  ),
  class_counts=(65971, 7598, 3090, 2685, 6584, 9248, 7287, 42826, 2863),
  cube=_file(
    "Pavia.mat",
    "pavia",
    "b60341da323fd271cd97dd6d7a69514d385ccd7fdfc5a60c4ff5994b047f152e",
    _EHU + "e/e3/",
    _HUGGING_FACE + "pavia/resolve/main/",
  ),
  labels=_file(
    "Pavia_gt.mat",
    "pavia_gt",
    "7eb54ab81b404dd3ae572e6d0ec211595029e5a847bec2cfb8f9e72d07066b69",
    _EHU + "5/53/",
    _HUGGING_FACE + "pavia/resolve/main/",
  ),
  false_colour_bands=(55, 41, 12),
  page_url=_PAGE,
  citation=_PAVIA_CITATION,
)

PUBLIC_SCENES: dict[str, PublicScene] = {
  facts.name: facts for facts in (_INDIAN_PINES, _SALINAS, _PAVIA_UNIVERSITY, _PAVIA_CENTRE)
}

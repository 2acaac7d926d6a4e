import dataclasses
import io
import itertools

import numpy as np
from PIL import Image

from mtl_hsi.report import colours, maps, pictures
from mtl_hsi.scenes.scene import Scene


def images(report):
  return {drawn.name: drawn.image for drawn in maps.scene_maps(report)}


def picture(drawn):
  return pictures.draw_picture(drawn.title, drawn.image, drawn.legend)


def decode(png):
  return np.asarray(Image.open(io.BytesIO(png)))


def test_every_map_has_the_scene_s_size_and_says_that_it_is_simulated(fields_report):
  drawn = list(maps.scene_maps(fields_report))
  assert [m.name for m in drawn] == ["false_colour", "ground_truth", "prediction", "errors"]
  assert all(m.image.shape == (4, 5, 3) and m.image.dtype == np.uint8 for m in drawn)
  assert all(m.title.startswith("fields (simulated): ") for m in drawn)


def test_classes_are_coloured_by_their_place_and_unlabelled_stays_black(fields_report):
  truth = images(fields_report)["ground_truth"]
  for position, (row, column) in enumerate([(0, 0), (0, 3), (2, 0)]):  # ids 2, 5, 9
    assert tuple(truth[row, column]) == colours.class_colour(position)
  assert tuple(truth[3, 4]) == colours.UNLABELLED
  assert tuple(images(fields_report)["prediction"][3, 4]) == colours.class_colour(0)


def test_errors_show_wrong_right_and_training_pixels(fields_report):
  prediction = fields_report.prediction.copy()
  prediction[1, 1] = 9
  errors = images(dataclasses.replace(fields_report, prediction=prediction))["errors"]
  assert tuple(errors[1, 1]) == colours.WRONG
  assert tuple(errors[1, 2]) == colours.CORRECT
  assert tuple(errors[0, 0]) == colours.TRAINING
  assert tuple(errors[3, 4]) == colours.UNLABELLED


def test_false_colour_takes_the_bands_in_order_and_clips_the_tails(fields_report):
  values = np.arange(4000.0).reshape(40, 100)
  cube = np.stack([values, -values, np.full((40, 100), 7.0)], -1)
  labels = np.ones((40, 100), np.int32)
  labels[0] = 2
  scene = Scene("ramps", cube, labels, {1: "a", 2: "b"})
  image = images(
    dataclasses.replace(fields_report, scene=scene, prediction=labels, false_colour_bands=(1, 0, 2))
  )["false_colour"].reshape(-1, 3)
  assert (image[:80, 1] == 0).all()
  assert (image[-80:, 1] == 255).all()
  assert 125 <= image[2000, 1] <= 130
  assert (np.diff(image[:, 0].astype(int)) <= 0).all()
  assert image[0, 0] == 255
  assert (image[:, 2] == 0).all()  # a band without contrast


def test_pixels_without_measurement_are_grey_in_every_map_and_leave_the_stretch_alone(fields, fields_report):
  nodata = fields.labels == 0
  cube = fields.cube.astype(np.float32)
  cube[nodata] = np.nan
  holed = dataclasses.replace(fields_report, scene=dataclasses.replace(fields, cube=cube, nodata=nodata))
  for drawn in maps.scene_maps(holed):
    assert (drawn.image[nodata] == colours.NO_DATA).all()
    assert (colours.NO_DATA, "no data") in drawn.legend
  assert images(holed)["false_colour"][3, 3].min() > 200


def test_legend_names_ids_classes_and_bands(fields, fields_report):
  wavelengths = np.array([450.0, 550.0, 650.4])
  scene = dataclasses.replace(fields, wavelengths=wavelengths)
  false_colour, truth, prediction, _ = maps.scene_maps(dataclasses.replace(fields_report, scene=scene))
  assert [text for _, text in false_colour.legend] == [
    *("red: band 2 (from 0), 650 nm", "green: band 1 (from 0), 550 nm", "blue: band 0 (from 0), 450 nm")
  ]  # fmt: skip
  assert prediction.legend == [
    (colours.class_colour(0), "2  Maïs & blé"),
    (colours.class_colour(1), "5  <b>Wald</b>"),
    (colours.class_colour(2), "9  Roof"),
  ]
  assert truth.legend == [*prediction.legend, (colours.UNLABELLED, "unlabelled")]


def test_picture_holds_the_map_magnified_by_a_whole_number_beside_its_legend(indian_pines_report):
  truth = list(maps.scene_maps(indian_pines_report))[1]
  canvas = decode(picture(truth))
  magnified = truth.image.repeat(4, 0).repeat(4, 1)
  top, left = np.argwhere((canvas != 255).any(-1) & (np.arange(canvas.shape[0]) > 45)[:, None]).min(0)
  assert (canvas[top : top + 580, left : left + 580] == magnified).all()
  legend = canvas[top:, left + 580 :]
  for colour, _ in truth.legend:
    assert (legend == colour).all(-1).sum() > 100
  assert (legend[:, :10] == 255).all()
  assert (canvas[:, -4:] == 255).all()


def test_long_legends_and_titles_fit(fields_report):
  legend = [(colours.class_colour(c), f"{c}  {'A very long class name ' * 4}") for c in range(70)]
  drawn = dataclasses.replace(
    list(maps.scene_maps(fields_report))[1], title="Many words " * 30, legend=legend
  )
  canvas = decode(picture(drawn))
  assert (canvas[:, -4:] == 255).all()
  assert (canvas[-4:] == 255).all()


def test_letters_beyond_ascii_are_drawn(fields_report):
  drawn = list(maps.scene_maps(fields_report))[1]
  drawings = [pictures.draw_picture("", drawn.image, [((9, 9, 9), name)]) for name in ("é", "ø", "Ж")]
  assert len(set(drawings)) == 3


def test_png_keeps_every_pixel(indian_pines_report):
  image = next(maps.scene_maps(indian_pines_report)).image
  np.testing.assert_array_equal(decode(pictures.encode_png(image)), image)


def test_colours_of_32_classes_are_far_apart():
  marks = [np.array(c) for c in (colours.UNLABELLED, colours.NO_DATA)]
  table = [np.array(colours.class_colour(c)) for c in range(32)] + marks
  assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(table, 2)) > 30
  assert len({colours.class_colour(c) for c in range(64)}) == 64
  assert colours.class_colour(200) == colours.class_colour(200 - 3 * 64)


def test_without_test_pixels_there_is_no_map_of_errors(fields_report):
  untested = dataclasses.replace(fields_report, test=np.zeros((0, 2), np.int32))
  assert list(images(untested)) == ["false_colour", "ground_truth", "prediction"]

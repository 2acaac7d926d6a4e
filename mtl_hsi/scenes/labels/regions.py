"""Connected regions of a label image."""

import numpy as np

# Pixels that share an edge or a corner are connected.
_EIGHT = np.ones((3, 3), int)


def number_regions(image: np.ndarray) -> np.ndarray:
  """Numbers the connected regions of equal class from 1, class by class; a pixel has eight neighbours.

  Args:
    image: class ids int32 `[H, W]`, 0 is unlabelled.

  Returns:
    int32 `[H, W]`, 0 where unlabelled.
  """
  from scipy import ndimage

  regions, count = np.zeros(image.shape, np.int32), 0
  for class_id in np.unique(image[image > 0]):
    of_class, found = ndimage.label(image == class_id, _EIGHT)
    # In place, so that a large map is not copied.
    of_class[of_class > 0] += count
    regions += of_class
    count += found
  return regions

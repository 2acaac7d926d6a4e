"""From the bands of an image to the input channels of a network: alignment, scaling, MNF components.

May import errors, storage and scenes."""

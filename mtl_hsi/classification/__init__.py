"""From trained networks to a class for every pixel.

May import errors, storage, runtime, models, scenes, channels, splits, evaluation and paper.
"""

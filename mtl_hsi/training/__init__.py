"""From training sets to trained networks and support vector machines.

May import errors, storage, runtime, models, scenes, channels, splits, evaluation and paper.
"""

"""What people look at: console table, maps, rasters and the report page.

May import errors, storage, runtime, models, scenes, channels, splits, evaluation and paper.
"""

"""Predictions: an image file in, map files out.

May import everything up to `report` and `runs`.
"""

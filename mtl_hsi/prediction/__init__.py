"""Predictions: maps a new image file with the networks of a finished run.

May import everything up to `report` and `runs`.
"""

"""Scenes: the value, and its sources (files, public data sets, the simulator).

May import `errors` and `storage`.
"""

"""`Model`, which trains and predicts on arrays in memory; see docs/library.md.

May import everything.
"""

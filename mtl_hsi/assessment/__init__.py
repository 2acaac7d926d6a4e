"""Assessment of a finished map: reference samples drawn by design, and estimates with intervals from them.

May import everything up to `report` and `runs`.
"""

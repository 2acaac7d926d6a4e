"""One experiment: its problem, execution, results and records.

May import every package but `prediction`, `reproduction` and `configs`.
"""

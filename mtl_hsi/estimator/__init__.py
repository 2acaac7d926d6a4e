"""`Model`, with which Python code trains and predicts on arrays; see docs/library.md.

May import everything.
"""

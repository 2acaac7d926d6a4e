"""The command `mtl-hsi`, and the start of requests for it and for launch.py.

May import every package except `library`.
"""

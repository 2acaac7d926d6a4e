"""Products of sensors as their providers deliver them, one file per product.

May import what its parent may.
"""

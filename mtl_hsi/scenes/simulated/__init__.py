"""Simulated scenes: random landscapes rendered with library spectra.

May import `errors`, `scenes.scene` and `scenes.public.sensors`.
"""

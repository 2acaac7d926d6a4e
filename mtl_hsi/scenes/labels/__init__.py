"""Readers of ground truth: label images, features and tables, and the names of their classes.

May import `errors`, `storage`, `scenes.images` and the values of `scenes`.
"""

"""Finished runs side by side: configs that differ, paired accuracies, maps.

May import rows 1 to 8.
"""

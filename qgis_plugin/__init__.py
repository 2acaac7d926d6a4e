"""The QGIS plugin, and how it is packed."""

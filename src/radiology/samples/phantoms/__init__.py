"""Synthetic phantoms drawn with numpy: they look like radiographs, sections and sonograms, and show nobody."""

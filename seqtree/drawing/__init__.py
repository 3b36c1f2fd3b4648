"""Drawings for the terminal and as SVG; they take data, not models."""

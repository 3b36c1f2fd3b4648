"""Treebanks: reading and normalising trees, lossless binarisation, PARSEVAL."""

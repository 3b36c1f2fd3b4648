"""Treebanks: reading and normalising trees, lossless binarisation, spans and PARSEVAL."""

"""The parser: a greedy recursive network over words, its training, and the adapter to NLTK."""

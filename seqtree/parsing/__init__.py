"""The parser: a greedy recursive network over words, its training, and the face it shows to NLTK."""

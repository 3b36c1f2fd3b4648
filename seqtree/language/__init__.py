"""Language models: the network, its training, sampling, scoring, and the face it shows to NLTK."""

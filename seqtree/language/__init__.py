"""Language models: the network, its training, sampling, scoring, and the adapter to NLTK."""

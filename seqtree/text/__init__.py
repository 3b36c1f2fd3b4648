"""Text: reading files, tokenizers, sentences, vocabularies, and encoded corpora."""

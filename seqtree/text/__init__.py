"""Text: reading files, tokenizers, sentences, vocabularies, and encoded corpora."""

from typing import TYPE_CHECKING

from seqtree.lazy import lazy

if TYPE_CHECKING:
    from seqtree.text.chunks import Chunk as Chunk, tags_of as tags_of
    from seqtree.text.columns import Tagged as Tagged, read_tagged as read_tagged
    from seqtree.text.config import TextSettings as TextSettings
    from seqtree.text.corpus import (
        PreparedCorpus as PreparedCorpus,
        encode_text as encode_text,
        prepare as prepare,
        text_tokens as text_tokens,
    )
    from seqtree.text.labelled import Labelled as Labelled, read_labelled as read_labelled
    from seqtree.text.lexicon import LabelSet as LabelSet, Lexicon as Lexicon
    from seqtree.text.sentences import (
        ParagraphReader as ParagraphReader,
        Sentence as Sentence,
        penn_tokens as penn_tokens,
        read_sentences as read_sentences,
        split_sentences as split_sentences,
    )
    from seqtree.text.tokenfile import TokenStream as TokenStream
    from seqtree.text.tokenizers import TreebankTokenizer as TreebankTokenizer
    from seqtree.text.vocabulary import Vocabulary as Vocabulary
else:
    __getattr__, __dir__, __all__ = lazy(
        __name__,
        {
            "chunks": "Chunk tags_of",
            "columns": "Tagged read_tagged",
            "config": "TextSettings",
            "corpus": "PreparedCorpus encode_text prepare text_tokens",
            "labelled": "Labelled read_labelled",
            "lexicon": "LabelSet Lexicon",
            "sentences": "ParagraphReader Sentence penn_tokens read_sentences split_sentences",
            "tokenfile": "TokenStream",
            "tokenizers": "TreebankTokenizer",
            "vocabulary": "Vocabulary",
        },
    )

"""Trees, tags and surprisals in spaCy's pipelines: ``nlp.add_pipe("seqtree")``.

spaCy is an extra: ``pip install "seqtree[spacy]"``. spaCy finds the component by itself where seqtree is installed, and
imports this module whenever a pipeline is made: it loads no model, and nothing of NLTK or torch.
"""

from importlib.util import find_spec

from seqtree.spacy.attributes import NotAConstituent as NotAConstituent, add_attributes as add_attributes
from seqtree.spacy.component import Component as Component, create as create, register

__all__ = ["Component", "NotAConstituent", "add_attributes", "create"]

if find_spec("spacy") is not None:
    register()

"""Random trees of any shape."""

from hypothesis import strategies as st
from nltk.tree import Tree

tokens = st.text(st.characters(exclude_categories=["Cs", "Z", "Cc"]), min_size=1, max_size=5)


@st.composite
def random_trees(draw, labels=tokens, words=tokens):
    """Trees of any shape: unary chains, words with and without a tag, flat and nested nodes."""
    leaf = words
    tag = st.builds(lambda label, word: Tree(label, [word]), labels, words)
    inner = st.recursive(
        leaf | tag, lambda nodes: st.builds(Tree, labels, st.lists(nodes, min_size=1, max_size=4)), max_leaves=12
    )
    tree = draw(inner)
    return tree if isinstance(tree, Tree) else Tree(draw(labels), [tree])

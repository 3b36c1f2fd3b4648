"""PARSEVAL: cases counted by hand, and a slow oracle over random trees."""

from collections import Counter

import pytest
from hypothesis import given, settings, strategies as st
from nltk.tree import Tree

from seqtree.treebank.bracketed import parse_trees
from seqtree.treebank.parseval import Brackets, Parseval, ParsevalFigures, Scores, Skipped


def tree(text):
    [(only, _)] = parse_trees([text], "t")
    return only


def score(*pairs):
    parseval = Parseval()
    for number, (gold, parsed) in enumerate(pairs, 1):
        parseval.add(tree(gold), None if parsed is None else tree(parsed), number)
    return parseval.result


def same(scores, precision, recall, f1):
    assert (scores.precision, scores.recall, scores.f1) == pytest.approx((precision, recall, f1), abs=1e-9)


CAT = "(S (NP (DT the) (NN cat)) (VP (VBD sat)))"


def test_a_perfect_parse():
    assert score((CAT, CAT)) == ParsevalFigures(Scores(100, 100, 100), Scores(100, 100, 100), 100, 100, 1, ())


def test_labelled_and_unlabelled():
    # gold: S 0-3, NP 0-2; parsed: X 0-3, Y 1-3. No label right, one span of two.
    result = score(("(S (NP (A a) (B b)) (C c))", "(X (A a) (Y (B b) (C c)))"))
    same(result.labelled, 0, 0, 0)
    same(result.unlabelled, 50, 50, 50)
    assert (result.exact_match, result.tag_accuracy) == (0, 100)


def test_no_overlap_at_all():
    # gold: NP 0-2, PP 2-4 under a root that does not count; parsed: VP 1-3.
    result = score(("(ROOT (NP (A a) (B b)) (PP (C c) (D d)))", "(TOP (A a) (VP (B b) (C c)) (D d))"))
    same(result.labelled, 0, 0, 0)
    same(result.unlabelled, 0, 0, 0)


def test_a_unary_chain_counts_every_node():
    # gold: S 0-2, NP 0-1, NP 0-1, VP 1-2; parsed: S, NP, VP. 3 of 3 parsed, 3 of 4 gold.
    chain = "(S (NP (NP (NN a))) (VP (VB b)))"
    result = score((chain, "(S (NP (NN a)) (VP (VB b)))"))
    same(result.labelled, 100, 75, 600 / 7)
    same(result.unlabelled, 100, 75, 600 / 7)
    assert result.exact_match == 0
    # the other way round, and with another label in the chain: S, VP and one NP of NP, ADJP; its span counts twice
    result = score((chain, "(S (ADJP (NP (NN a))) (VP (VB b)))"))
    same(result.labelled, 75, 75, 75)
    same(result.unlabelled, 100, 100, 100)


def test_sums_over_sentences_not_means():
    # first: 3 of 3 and 3; second: 0 of 1 parsed (S), 0 of 2 gold (NP, PP). P 3/4, R 3/5, F 2*3/9.
    result = score((CAT, CAT), ("(ROOT (NP (A a) (B b)) (PP (C c) (D d)))", "(S (X a) (B b) (C c) (D d))"))
    same(result.labelled, 75, 60, 200 / 3)
    assert result.exact_match == 50
    assert result.tag_accuracy == pytest.approx(100 * 6 / 7)


@pytest.mark.parametrize(
    "parsed",
    [
        "(S (NP (NN a)) (, ,) (VP (VB b)) (. .))",
        "(S (NP (NN a) (, ,)) (VP (VB b) (. .)))",
        "(S (NP (NN a)) (VP (, ,) (VB b)) (. .))",
        "(S (NP (NN a)) (X (, ,)) (VP (VB b)) (X (X (. .))))",
        "(S (NP (NN a)) (NN ,) (VP (VB b)) (SYM .))",
        "(ROOT (S (NP (NN a)) (, ,) (VP (VB b))) (. .))",
    ],
)
def test_punctuation_may_stand_on_either_side_of_a_boundary(parsed):
    result = score(("(S (NP (NN a)) (, ,) (VP (VB b)) (. .))", parsed))
    same(result.labelled, 100, 100, 100)
    assert (result.exact_match, result.tag_accuracy) == (100, 100)


def test_punctuation_inside_a_boundary_changes_nothing_around_it():
    # gold: S 0-5, NP 0-2 (a `` b), VP 2-3; parsed: S, NP 0-1, VP 1-3.
    gold = "(S (NP (NN a) (`` ``) (NN b)) ('' '') (VP (VB c)) (: :))"
    result = score((gold, "(S (NP (NN a) (`` ``)) (VP (NN b) ('' '') (VB c) (: :)))"))
    same(result.labelled, 100 / 3, 100 / 3, 100 / 3)
    assert result.tag_accuracy == 100


def test_other_punctuation_counts_as_collins_has_it():
    # ? and ! as tags of their own, brackets and dashes are words: gold X 0-2; parsed X 0-1
    for tag in ("?", "!", "-LRB-", "HYPH", "PU"):
        result = score((f"(S (X (NN a) ({tag} b)) (VB c))", f"(S (X (NN a)) ({tag} b) (VB c))"))
        same(result.labelled, 50, 50, 50)


def test_advp_and_prt_are_one_label_but_not_with_a_bar():
    assert score(("(VP (VB a) (PRT (RP up)))", "(VP (VB a) (ADVP (RP up)))")).exact_match == 100
    assert score(("(VP (VB a) (ADVP (RB up)))", "(VP (VB a) (PRT (RB up)))")).exact_match == 100
    same(score(("(VP (VB a) (PRT|ADVP (RP up)))", "(VP (VB a) (ADVP (RP up)))")).labelled, 50, 50, 50)
    same(score(("(VP (VB a) (PRT|ADVP (RP up)))", "(VP (VB a) (PRT|ADVP (RP up)))")).labelled, 100, 100, 100)


@pytest.mark.parametrize("root", ["", "ROOT", "TOP", "S1"])
def test_the_root_does_not_count_but_an_s_does(root):
    gold = f"({root} {CAT})"
    assert score((gold, CAT)) == score((CAT, CAT))
    # parsed: NP, VP and X instead of S
    same(score((gold, CAT.replace("(S", "(X"))).labelled, 200 / 3, 200 / 3, 200 / 3)
    flat = CAT.replace("(S", f"({root or 'ROOT'}")
    same(score((gold, flat)).labelled, 100, 200 / 3, 80)


def test_traces_and_functional_tags_do_not_count():
    gold = "(S (NP-SBJ-1 (DT the) (NN cat)) (VP (VBD sat) (NP (-NONE- *T*-1))))"
    assert score((gold, CAT)) == score((CAT, CAT))
    assert score((CAT, gold)) == score((CAT, CAT))


def test_tags():
    # 2 of 3 words that are not punctuation; a word without a tag in the gold tree does not count
    gold = "(S (A a) (B b) (, ,) (C c) d)"
    assert score((gold, "(S (A a) (X b) (X ,) (C c) (D d))")).tag_accuracy == pytest.approx(200 / 3)
    assert score((gold, "(S a b , c d)")).tag_accuracy == 0


@pytest.mark.parametrize(
    ("parsed", "reason"),
    [
        (None, "no parse"),
        ("(S (NP (DT the) (NN cat)))", "2 words in the parse, 3 in the gold tree"),
        ("(S (NP (DT the) (NN cat)) (VP (VBD sat)) (. .))", "4 words in the parse, 3 in the gold tree"),
        ("(S (NP (DT the) (NN dog)) (VP (VBD sat)))", "word 2 is 'dog' in the parse, 'cat' in the gold tree"),
    ],
)
def test_sentences_that_do_not_match_are_skipped_and_named(parsed, reason):
    result = score((CAT, CAT), (CAT, parsed), ("(S (NN a))", "(X (NN a))"))
    assert result.skipped == (Skipped(2, reason),)
    assert result.sentences == 3
    same(result.labelled, 75, 75, 75)
    assert result.exact_match == 50
    assert result.figures()["skipped"] == 1


def test_words_are_compared_unescaped():
    gold = "(PRN (-LRB- -LRB-) (CD 1\\/2) (-RRB- -RRB-))"
    parsed = Tree("PRN", [Tree("-LRB-", ["("]), Tree("CD", ["1/2"]), Tree("-RRB-", [")"])])
    parseval = Parseval()
    parseval.add(tree(gold), parsed, 1)
    assert parseval.result.exact_match == 100


def test_nothing_to_count_gives_zeros():
    assert Parseval().result == ParsevalFigures(Scores(0, 0, 0), Scores(0, 0, 0), 0, 0, 0, ())
    result = score(("(NN a)", "(NN a)"), ("(. .)", "(. .)"))
    same(result.labelled, 0, 0, 0)
    assert (result.exact_match, result.tag_accuracy) == (100, 100)


def test_the_figures_as_json():
    assert score((CAT, CAT)).figures() == {
        "labelled": {"precision": 100.0, "recall": 100.0, "f1": 100.0},
        "unlabelled": {"precision": 100.0, "recall": 100.0, "f1": 100.0},
        "exact_match": 100.0,
        "tag_accuracy": 100.0,
        "sentences": 1,
        "skipped": 0,
        "by_label": {
            label: {"precision": 100.0, "recall": 100.0, "f1": 100.0, "gold": 1, "parsed": 1, "sentences": 1}
            for label in ("NP", "S", "VP")
        },
        "by_length": {"3": {"precision": 100.0, "recall": 100.0, "f1": 100.0, "gold": 3, "parsed": 3, "sentences": 1}},
    }


def test_counts_by_label_and_by_length():
    result = score(
        ("(S (NP (DT the) (NN cat)) (VP (VBD sat)) (. .))", "(S (NP (DT the)) (VP (NN cat) (VBD sat)) (. .))"),
        ("(S (NP (DT a) (NN b)) (NP (NN c)))", "(S (NP (DT a) (NN b)) (PRT (NN c)))"),
        ("(S (NN a) (-NONE- *) (. .))", "(X (NN a) (. .))"),
        (CAT, None),
    )
    assert result.by_label == {
        "S": Brackets(2, 3, 2, 3),
        "NP": Brackets(1, 3, 2, 2),
        "VP": Brackets(0, 1, 1, 1),
        "ADVP": Brackets(0, 0, 1, 1),
        "X": Brackets(0, 0, 1, 1),
    }
    assert result.by_length == {4: Brackets(1, 3, 3, 1), 3: Brackets(2, 3, 3, 1), 2: Brackets(0, 1, 1, 1)}
    assert result.by_label["NP"].scores == Scores(50, pytest.approx(100 / 3), 40)
    for parts in (result.by_label, result.by_length):
        total = Brackets(*map(sum, zip(*parts.values(), strict=True)))
        assert total.scores == result.labelled


def test_depth_has_no_limit():
    deep = tree("(X " * 100_000 + "(A a)" + ")" * 100_000)
    parseval = Parseval()
    parseval.add(deep, deep, 1)
    assert parseval.result.labelled.f1 == 100


TAGS = st.sampled_from(["NN", "VB", ",", ".", "``", "?"])
LABELS = st.sampled_from(["S", "NP", "ADVP", "PRT", "PRT|ADVP", "ROOT", "TOP", "", "NP-SBJ"])


@st.composite
def parse_of(draw, words):
    """A random tree over the words: neighbours are put together, or one is wrapped, a few times."""
    nodes = [Tree(draw(TAGS), [word]) for word in words]
    for _ in range(draw(st.integers(0, 8))):
        start = draw(st.integers(0, len(nodes) - 1))
        end = draw(st.integers(start + 1, len(nodes)))
        nodes[start:end] = [Tree(draw(LABELS), nodes[start:end])]
    return nodes[0] if len(nodes) == 1 else Tree(draw(LABELS), nodes)


@st.composite
def pairs(draw):
    words = "abcdefg"[: draw(st.integers(1, 7))]
    return draw(parse_of(words)), draw(parse_of(words))


def leaf_sets(node):
    """For each node above tags: its label and the words below it (here all different)."""
    for part in node.subtrees(lambda part: isinstance(part[0], Tree)):
        yield part.label(), frozenset(part.leaves())


def naive(gold, parsed):
    """Matched, gold and parsed constituents, labelled then unlabelled: written from the rules, node by node."""
    dropped = {word for word, tag in gold.pos() if tag in {",", ".", "``"}}
    lists = []
    for one in (gold, parsed):
        kept = [(label.split("-")[0], words - dropped) for label, words in leaf_sets(one)]
        kept = [("ADVP" if label == "PRT" else label, words) for label, words in kept]
        lists.append([(label, words) for label, words in kept if label not in {"", "ROOT", "TOP"} and words])
    counts = []
    for with_label in (True, False):
        left, right = ([(label if with_label else "", words) for label, words in one] for one in lists)
        matched, pool = 0, list(right)
        for item in left:
            if item in pool:
                pool.remove(item)
                matched += 1
        counts.append((matched, len(left), len(right)))
    gold_tags, parsed_tags = dict(gold.pos()), dict(parsed.pos())
    counted = [word for word in gold_tags if word not in dropped]
    return counts, Counter(gold_tags[word] == parsed_tags[word] for word in counted)


@given(st.lists(pairs(), min_size=1, max_size=3))
@settings(max_examples=150)
def test_the_counts_are_those_of_the_oracle(sentences):
    parseval = Parseval()
    totals = [[0, 0, 0], [0, 0, 0]]
    tags: Counter[bool] = Counter()
    exact = 0
    skipped = []
    for number, (gold, parsed) in enumerate(sentences):
        parseval.add(gold, parsed, number)
        if {tag for _, tag in gold.pos()} <= {",", ".", "``"}:
            skipped.append(number)
            continue
        counts, right = naive(gold, parsed)
        totals = [[one + two for one, two in zip(*both, strict=True)] for both in zip(totals, counts, strict=True)]
        tags += right
        exact += len(set(counts[0])) == 1
    result = parseval.result
    for scores, (matched, gold_count, parsed_count) in zip((result.labelled, result.unlabelled), totals, strict=True):
        precision, recall = 100 * matched / (parsed_count or 1), 100 * matched / (gold_count or 1)
        f1 = 2 * precision * recall / (precision + recall) if matched else 0
        same(scores, precision, recall, f1)
    assert result.exact_match == pytest.approx(100 * exact / (len(sentences) - len(skipped) or 1))
    assert result.tag_accuracy == pytest.approx(100 * tags[True] / (tags.total() or 1))
    assert [one.number for one in result.skipped] == skipped


def test_a_gold_tree_of_punctuation_only_is_skipped():
    """EVALB does, too; it would be right whatever its parse is."""
    parseval = Parseval()
    parseval.add(tree("(X (. .))"), tree("(S (NN .))"), 1)
    parseval.add(tree("(S (NN a) (. .))"), tree("(S (NN a) (. .))"), 2)
    result = parseval.result
    assert [(one.number, one.reason) for one in result.skipped] == [(1, "the gold tree has no word but punctuation")]
    assert (result.exact_match, result.sentences) == (100, 2)


def test_counts_of_parts_join_up_to_those_of_all() -> None:
    gold = [Tree.fromstring(f"(S (NP (DT the) (NN cat)) (VP (VBD sat) (ADVP (RB {word}))))") for word in "abc"]
    found = [Tree.fromstring("(S (NP (DT the) (NN cat)) (VP (VBD sat)) (ADVP (RB a)))"), gold[1], None]
    whole, parts = Parseval(), [Parseval(), Parseval()]
    for number, (tree, parse) in enumerate(zip(gold, found, strict=True), 1):
        whole.add(tree, parse, number)
        parts[number > 1].add(tree, parse, number)
    parts[0].join(parts[1])
    assert parts[0].result == whole.result
    assert parts[0].result.figures() == whole.result.figures()
    assert whole.result.skipped[0].number == 3

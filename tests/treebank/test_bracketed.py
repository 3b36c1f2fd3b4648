"""Bracketed files: what is read, what is refused and where, and what is written."""

import itertools
import tracemalloc

import pytest
from hypothesis import assume, given, settings, strategies as st
from nltk.tree import Tree
from tree_helpers import random_trees

from seqtree.errors import InputError
from seqtree.text.brackets import escape_word, unescape_word
from seqtree.treebank.bracketed import Place, is_preterminal, parse_trees, read_trees, token, write_tree
from seqtree.treebank.dialects import other_format

DEPTH = 100_000
IT_WORKS = Tree("S", [Tree("NP", [Tree("PRP", ["it"])]), Tree("VP", [Tree("VBZ", ["works"])])])


def read(text, **options):
    return [(tree, place.line) for tree, place in parse_trees([text], "t.mrg", **options)]


def trees_of(text, **options):
    return [tree for tree, _ in read(text, **options)]


def refusal(text, **options):
    with pytest.raises(InputError) as caught:
        read(text, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_tree_is_read_as_it_stands():
    assert trees_of("(S (NP (PRP it)) (VP (VBZ works)))") == [IT_WORKS]
    assert trees_of("(S(NP(PRP it))(VP(VBZ works)))") == [IT_WORKS]
    assert trees_of("( S\t( NP ( PRP it ) ) ( VP ( VBZ works ) ) )") == [IT_WORKS]


def test_line_ends_may_stand_between_any_two_tokens():
    text = "(S (NP (PRP it)) (VP (VBZ works)))"
    for broken in (
        text.replace(" ", "\n"),
        text.replace("(", "(\n"),
        text.replace(")", "\n)"),
        text.replace(" ", "\r\n"),
    ):
        assert read(broken) == [(IT_WORKS, 1)]


def test_several_trees_on_a_line_and_a_tree_on_several_lines_have_the_place_of_their_first_bracket():
    text = "\n(A (B c)) (D e)(F\n\n  (G h)\n) (I j)\n\n(K l)"
    assert read(text) == [
        (Tree("A", [Tree("B", ["c"])]), 2),
        (Tree("D", ["e"]), 2),
        (Tree("F", [Tree("G", ["h"])]), 2),
        (Tree("I", ["j"]), 5),
        (Tree("K", ["l"]), 7),
    ]


def test_a_place_reads_as_file_and_line():
    [(_, place)] = parse_trees(["\n\n(A b)"], "folder/t.mrg")
    assert place == Place("folder/t.mrg", 3)
    assert str(place) == "folder/t.mrg:3"


def test_comments_stand_between_trees_only():
    text = "# one (\n%% two )\n*x*x*x* three\n(A b)\n#4\n(S\n# (% %)\n*x* %%)\n  \n"
    assert trees_of(text) == [Tree("A", ["b"]), Tree("S", ["#", Tree("%", ["%"]), "*x*", "%%"])]


@pytest.mark.parametrize("size", [5_000, 70_000, 1 << 20])
def test_comments_of_any_length(size):
    comment = f"# {'(not) a tree ' * 20_000}"
    text = f"{comment}\n(A b)\n\n%%{comment}\n{comment}\n(S (C d)\n{'(E f)' * 40_000})\n{comment}"
    blocks = [text[start : start + size] for start in range(0, len(text), size)]
    (one, first), (two, second) = parse_trees(blocks, "t")
    assert (one, first.line, second.line) == (Tree("A", ["b"]), 2, 6)
    assert len(two) == 40_001


def test_comments_of_any_length_take_no_memory():
    def blocks():
        yield "(A b)\n# "
        for _ in range(2_000):
            yield block
        yield "\n(C d)"

    block = "no bracket " * 2_000  # 22,000 characters
    tracemalloc.start()
    assert len(list(parse_trees(blocks(), "t"))) == 2
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 2_000_000


def test_a_long_line_that_begins_like_a_comment_inside_a_tree_is_none():
    words = "#(A b)" * 40_000
    text = f"(S\n{words})"
    [(tree, _)] = parse_trees([text[start : start + 9_999] for start in range(0, len(text), 9_999)], "t")
    assert len(tree) == 80_000
    assert tree[:2] == ["#", Tree("A", ["b"])]


def test_a_piece_of_a_long_line_is_no_line():
    line = "(S (A b))" * 10_000
    for rest, what in (("#", "'#' outside brackets"), ("# (C d)", "'#' outside brackets")):
        with pytest.raises(InputError, match=what):
            list(parse_trees([line, rest], "t"))
    pieces = parse_trees([line, "(S (C d))\n"], "t", skip=pytest.fail)
    assert [place.line for _, place in pieces] == [1] * 10_001


@pytest.mark.parametrize("root", ["", "ROOT", "TOP", "S1"])
def test_an_outer_bracket_stays_whatever_its_label(root):
    assert trees_of(f"({root} (S (NN a) (NN b)))") == [Tree(root, [Tree("S", [Tree("NN", ["a"]), Tree("NN", ["b"])])])]


def test_words_without_tags_beside_and_below_phrases():
    assert trees_of("(NP Pierre (NNP Vinken) , (ADJP 61 years old))") == [
        Tree("NP", ["Pierre", Tree("NNP", ["Vinken"]), ",", Tree("ADJP", ["61", "years", "old"])])
    ]


def test_a_bracket_with_punctuation_only_is_a_word_that_is_its_own_tag():
    assert trees_of('(S (,) (»") (A b) ( . ))') == [
        Tree("S", [Tree(",", [","]), Tree('»"', ['»"']), Tree("A", ["b"]), Tree(".", ["."])])
    ]


def test_lemmas_are_left_out_where_a_bracket_is_a_tag_a_word_and_a_lemma():
    text = "(\n(sn (da0ms0 El el) (sn.e *0*) (Fc , ,) (sn (np Juan Juan) (W jueves [jueves:??])) (x a b c)))"
    noun = Tree("sn", [Tree("np", ["Juan"]), Tree("W", ["jueves"])])
    words = [Tree("da0ms0", ["El"]), Tree("sn.e", ["*0*"]), Tree("Fc", [","]), noun, Tree("x", ["a", "b", "c"])]
    assert trees_of(text, lemmas=True) == [Tree("", [Tree("sn", words)])]
    assert trees_of("(NP Pierre Vinken)") == [Tree("NP", ["Pierre", "Vinken"])]


def test_any_script_and_white_space_that_is_not_ascii_is_part_of_words(tmp_path):
    file = tmp_path / "scripts.trees"
    words = ["我們", "הבית", "مرحبا", "a\u00a0b", "全\u3000角", "e\u0301", "🙂", "x\u2028y"]
    file.write_bytes(("\ufeff(IP " + " ".join(f"(名詞 {word})" for word in words) + ")\r\n\r\n(Z z)\r\n").encode())
    [(first, one), (_, two)] = read_trees(file)
    assert first.leaves() == words
    assert first[0].label() == "名詞"
    assert (one, two) == (Place(str(file), 1), Place(str(file), 3))


def test_other_encodings(tmp_path):
    file = tmp_path / "old.mrg"
    file.write_bytes("(A é)".encode("latin-1"))
    assert [tree for tree, _ in read_trees(str(file), "latin-1")] == [Tree("A", ["é"])]


def test_depth_has_no_limit():
    text = "(X " * DEPTH + "(A b)" + ")" * DEPTH
    [tree] = trees_of(text)
    depth, node = 0, tree
    while isinstance(node, Tree):
        depth, node = depth + 1, node[0]
    assert (depth, node) == (DEPTH + 1, "b")
    assert (write_tree(tree) == text) is True  # compared outside the assertion, which would print the tree


@given(st.lists(random_trees(), min_size=1, max_size=4), st.data())
@settings(max_examples=60)
def test_what_is_written_is_read_again_however_the_text_is_cut_into_blocks(trees, data):
    assume(not other_format(escaped(trees[0])))  # such as (a / b), which is refused as AMR
    lines = [write_tree(tree) for tree in trees]
    text = data.draw(st.sampled_from(["\n", " ", "", "\n# ( comment\n"])).join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    blocks = [text[start:end] for start, end in itertools.pairwise([0, *cuts, len(text)])]
    again = [tree for tree, _ in parse_trees(blocks, "t")]
    assert [write_tree(tree) for tree in again] == lines
    assert again == [escaped(tree) for tree in trees]


def escaped(node):
    if isinstance(node, Tree):
        return Tree(token(node.label()), [escaped(child) for child in node])
    return token(node)


def test_a_line_longer_than_any_block_is_read_in_pieces():
    line = "(S (NP (PRP it)) (VP (VBZ works))) " * 30_000
    blocks = [line[start : start + 10_007] for start in range(0, len(line), 10_007)]
    taken = 0
    for tree, place in parse_trees(blocks, "t"):
        assert tree == IT_WORKS
        assert place.line == 1
        taken += 1
    assert taken == 30_000


def test_trees_come_before_the_text_ends():
    def blocks():
        for number in itertools.count():
            given_out.append(number)
            yield "(A b)\n(C "
            yield "d)\n"

    given_out: list[int] = []
    first = list(itertools.islice(parse_trees(blocks(), "t"), 6))
    assert [place.line for _, place in first] == [1, 2, 3, 4, 5, 6]
    assert len(given_out) <= 4


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("(A b)\n\n(S\n(NP (NN a)\n", 3, "never closed"),
        ("(S (NP a)\n(VP b)", 1, "never closed"),
        ("\n(", 2, "never closed"),
        ("(A b)\n(S (NP a))\n )", 3, "a closing bracket without an opening one"),
        ("(A b))", 1, "a closing bracket without an opening one"),
        ("(A b)\nwords (C d)", 2, "'words' outside brackets"),
        ("(A b) words", 1, "'words' outside brackets"),
        ("(A b) # late\n", 1, "'#' outside brackets"),
        ("(S (A b)\n ((C d)))", 2, "a node without a label in the tree of line 1"),
        (
            "\n( (S (A b))\n\n( (S (C d)))",
            4,
            "a node without a label in the tree of line 2; is a closing bracket missing",
        ),
        ("(S\n (NP ))", 2, "a node (NP ) without words"),
        ("(S (NP\n))", 1, "a node (NP ) without words"),
        ("(-NONE-)", 1, "a node (-NONE- ) without words"),
        ("(A b)\n()", 2, "an empty bracket"),
        ("(S (A b)\n( ))", 2, "an empty bracket"),
        ("(S (NP) (VP (VB go)))", 1, "a node (NP ) without words"),
        ("(A b)\n(S (NP))", 2, "a node (NP ) without words"),
        ("(S (NP (PRP (it)))\n (VP (VBZ works)))", 1, "a node (it ) without words, or a word in a bracket of its own"),
        ("(S (NN (a) (b)))", 1, "a node (a ) without words"),
        ("(S (A b) (()))", 1, "an empty bracket"),
        ("ID=wsj_0001.1 PARSER=GOLD NUMPARSE=1", 1, "'ID=wsj_0001.1' outside brackets"),
    ],
)
def test_malformed_trees_are_refused_with_file_and_line(text, line, what):
    message = refusal(text)
    assert message.startswith(f"t.mrg:{line}: ")
    assert what in message


@pytest.mark.parametrize("text", ["", "\n \n", "# only a comment\n"])
def test_a_text_without_trees_is_refused(text):
    assert refusal(text) == ("t.mrg: contains no tree; expected trees such as (S (NP (PRP it)) (VP (VBZ works)))")


def test_trees_before_the_fault_have_been_given_out():
    reader = parse_trees(["(A b)\n(C d)\n)"], "t")
    assert [next(reader)[0].label(), next(reader)[0].label()] == ["A", "C"]
    with pytest.raises(InputError, match=r"^t:3: "):
        next(reader)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"t\.mrg is empty"),
        (b"(A b)\n(C \xff)\n", r"t\.mrg: byte 9 \(line 2\) is 0xFF, which is not valid utf-8; try --encoding"),
        (b"(A b)\r\n\r\n(C", r"t\.mrg:3: the tree that begins here is never closed"),
    ],
)
def test_files_that_cannot_be_read_as_trees(tmp_path, content, message):
    (tmp_path / "t.mrg").write_bytes(content)
    with pytest.raises(InputError, match=message):
        list(read_trees(tmp_path / "t.mrg"))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"none\.mrg cannot be read: no such file"):
        list(read_trees(tmp_path / "none.mrg"))


def test_an_outer_bracket_may_have_several_children():
    assert trees_of("( (NNS Markets) (: --) )\n((S (A b)) c\n(. .))") == [
        Tree("", [Tree("NNS", ["Markets"]), Tree(":", ["--"])]),
        Tree("", [Tree("S", [Tree("A", ["b"])]), "c", Tree(".", ["."])]),
    ]


def test_what_parsers_write_for_a_sentence_without_a_parse_is_nothing():
    text = "(A b)\n(())\n( ( ) )\n((()))(TOP (()))\n( () (S (C d)))"
    assert read(text) == [(Tree("A", ["b"]), 1), (Tree("", [Tree("S", [Tree("C", ["d"])])]), 5)]
    assert "contains no tree" in refusal("(())")


def test_words_in_brackets_of_their_own():
    assert trees_of("(S\t(NP-SBJ (PRP\t(Dia))) (VP (VB (makan)) (,)) (Z\t(.)))\n(S (X (,)) (A b))") == [
        Tree(
            "S",
            [
                Tree("NP-SBJ", [Tree("PRP", ["Dia"])]),
                Tree("VP", [Tree("VB", ["makan"]), Tree(",", [","])]),
                Tree("Z", ["."]),
            ],
        ),
        Tree("S", [Tree("X", [Tree(",", [","])]), Tree("A", ["b"])]),  # as always where other words have no bracket
    ]


def test_a_slash_before_a_figure_makes_no_amr():
    assert trees_of("(a / 0)") == [Tree("a", ["/", "0"])]


def test_comments_and_morphemes_of_the_sejong_treebank():
    text = "; 나는 간다 (x\n(S (NP_SBJ 나/NP + 는/JX)\n (VP 가/VV))\n; +\n(S (A 나/NP) (B b))\n(X +/SW + //SP)"
    assert [write_tree(tree) for tree in trees_of(text)] == [
        "(S (NP_SBJ (NP 나) (JX 는)) (VP (VV 가)))",
        "(S (A 나/NP) (B b))",
        "(X (SW +) (SP /))",
    ]
    assert trees_of("(CC and/OR)") == [Tree("CC", ["and/OR"])]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('# ::snt Ann sleeps (.\n(s / sleep-01\n :ARG0 (p / person :name (n / name :op1 "Ann")))', 2, "AMR"),
        ("(p / person)", 1, "AMR"),
        ("(<T S[dcl] 0 2> (<L N NNP NNP Ann N>) (<L S[dcl]\\\\NP VBZ VBZ sleeps S[dcl]\\\\NP>) )", 1, "CCGbank"),
        ("(S (VP 0=is 2=here) (NP 1=Ann))", 1, "discontinuous trees"),
    ],
)
def test_other_formats_in_brackets_are_named(text, line, what):
    message = refusal(text)
    assert message.startswith(f"t.mrg:{line}: this looks like {what}")


def test_trees_that_only_resemble_other_formats():
    for text in ("(NP / (NN or))", "(QP (CD 1=1) (CD 3=x))", "(SYM /)", "(X (<T y))"):
        assert len(trees_of(text)) == 1


SKIPPED = [
    ("(A b)\n(S (NP a)\n(C d)\n(E f)", "A C E", ["2: the tree that begins here is never closed"]),
    ("( (S (A b))\n( (S (C d)))\n( (S (E f)))", "C E", ["2: a node without a label in the tree of line 1"]),
    ("( (S (A b))\n ( (S (C d)))\n( (S (E f)))", "E", ["2: a node without a label in the tree of line 1"]),
    ("(S (A b)\n ((C d)))\n(E f)", "E", ["2: a node without a label in the tree of line 1"]),
    ("(A b))\n(C d)", "C", ["1: a closing bracket without an opening one"]),
    ("(S (NP (A it))) (VP (B works)))\n(C d)", "C", ["1: a closing bracket without an opening one"]),
    ("(S\n(NP )\n(VP b))\n(C d)", "C", ["2: a node (NP ) without words"]),
    ("(A b)(S (NP ) (VP (X y))) (C d)\n(E f)", "A C E", ["1: a node (NP ) without words"]),
    ("(A b) some words (C d)\nmore text\n(E f)", "A C E", ["1: 'some' outside brackets", "2: 'more' outside brackets"]),
    ("(S (A b)\n\n(C d))\n(E f)\n(S (G h)", "A C E", ["5: the tree that begins here is never closed"]),
    (
        "(S (A b)\n(S (NP ))\n(C d)",
        "C",
        ["1: the tree that begins here is never closed", "2: a node (NP ) without words"],
    ),
    ("(C d)\n(S (NP ) (A b)", "C", ["2: the tree that begins here is never closed"]),
    ("  (S (A b)\n    (NP ())\n  (C d)\n  (E f)", "C E", ["1: the tree that begins here is never closed"]),
    ("  (S (A b)\n    (NP ()))\n  (C d)", "C", ["2: an empty bracket"]),
    ("(S (NP (PRP (it))) (X y))\n# (\n(C d)", "C", ["1: a node (it ) without words, or a word"]),
]


@pytest.mark.parametrize(("text", "tags", "faults"), SKIPPED)
def test_malformed_trees_are_left_out(text, tags, faults):
    said = []
    trees = [tree for tree, _ in parse_trees([text], "t", skip=said.append)]
    assert " ".join(node.label() for tree in trees for node in tree.subtrees(is_preterminal)) == tags
    assert [message.partition("t:")[2].startswith(fault) for message, fault in zip(said, faults, strict=True)] == [
        True
    ] * len(faults)


@given(st.lists(random_trees(), min_size=1, max_size=4), st.data())
@settings(max_examples=60)
def test_no_well_formed_tree_is_left_out_however_it_is_laid_out(trees, data):
    text = "\n".join(
        write_tree(tree).replace(" (", data.draw(st.sampled_from([" (", "\n(", "\n ("]))) for tree in trees
    )
    again = [tree for tree, _ in parse_trees([text], "t", skip=pytest.fail)]
    assert again == [escaped(tree) for tree in trees]


def test_trees_that_are_never_closed_cost_little_time_and_no_others():
    said = []
    text = "(S (NP (A a)\n" * 20 + "(S (A b))\n" * 20_000
    assert len(list(parse_trees([text], "t", skip=said.append))) == 20_000
    assert len(said) == 20


def test_a_text_of_malformed_trees_only():
    assert list(parse_trees(["(S (NP ))\n(S"], "t", skip=lambda what: None)) == []


def test_writing_escapes_brackets_and_closes_up_white_space():
    tree = Tree("S", [Tree("(", ["("]), Tree("NN", ["a b\n c"]), Tree("NN", [""]), "f(x)[0]"])
    assert write_tree(tree) == "(S (-LRB- -LRB-) (NN a_b_c) (NN _) f-LRB-x-RRB-[0])"
    assert write_tree(Tree("S", [Tree("NN", ["{"]), "]"])) == "(S (NN {) ])"
    assert write_tree(Tree("", [Tree("S", ["a"])])) == "( (S a))"
    assert write_tree(IT_WORKS) == "(S (NP (PRP it)) (VP (VBZ works)))"


def test_a_backslash_is_no_part_of_a_bracket():
    tree = Tree("S", [Tree("NN", ["C:\\temp\\"]), Tree("X", [Tree("\\", ["\\"]), "a\\b"]), "\\"])
    line = write_tree(tree)
    assert line == "(S (NN C:\\temp\\ ) (X (\\ \\ ) a\\b) \\ )"
    assert Tree.fromstring(line) == tree
    assert trees_of(line) == [tree]


@given(st.text(st.sampled_from("()[]{}ab")))
@settings(max_examples=100)
def test_escaping_is_undone(word):
    assert unescape_word(escape_word(word)) == word
    assert escape_word(escape_word(word)) == escape_word(word)
    assert not set(escape_word(word)) & set("()[]{}")


@pytest.mark.parametrize(
    ("penn", "plain"),
    [
        ("-LRB-", "("),
        ("-RRB-", ")"),
        ("-LSB-", "["),
        ("-RSB-", "]"),
        ("-LCB-", "{"),
        ("-RCB-", "}"),
        ("friend-LRB-s-RRB-", "friend(s)"),
        ("1\\/2", "1/2"),
        ("\\*\\*", "**"),
        ("-lrb-", "-lrb-"),
        ("well-known", "well-known"),
    ],
)
def test_penn_words_in_plain_text(penn, plain):
    assert unescape_word(penn) == plain


def test_preterminals():
    assert is_preterminal(Tree("NN", ["a"]))
    assert not any(is_preterminal(node) for node in ("a", Tree("NP", ["a", "b"]), Tree("NP", [Tree("NN", ["a"])])))

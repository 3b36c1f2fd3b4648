"""Bracketed files: what is read, what is refused and where, and what is written."""

import itertools
import tracemalloc

import pytest
from hypothesis import given, settings, strategies as st
from nltk.tree import Tree
from tree_helpers import random_trees

from seqtree.errors import InputError
from seqtree.text.brackets import escape_word, unescape_word
from seqtree.treebank.bracketed import Place, is_preterminal, parse_published, parse_trees, read_trees, write_tree

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


@pytest.mark.parametrize("reader", [parse_trees, parse_published])
@pytest.mark.parametrize("size", [5_000, 70_000, 1 << 20])
def test_comments_of_any_length(reader, size):
    comment = f"# {'(not) a tree ' * 20_000}"
    text = f"{comment}\n(A b)\n\n%%{comment}\n{comment}\n(S (C d)\n{'(E f)' * 40_000})\n{comment}"
    blocks = [text[start : start + size] for start in range(0, len(text), size)]
    (one, first), (two, second) = reader(blocks, "t")
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
    [(tree, _)] = parse_published([line, "(S (C d))\n"], "t")
    assert len(tree) == 10_001


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
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read_again_however_the_text_is_cut_into_blocks(trees, data):
    lines = [write_tree(tree) for tree in trees]
    text = data.draw(st.sampled_from(["\n", " ", "", "\n# ( comment\n"])).join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    blocks = [text[start:end] for start, end in itertools.pairwise([0, *cuts, len(text)])]
    again = [tree for tree, _ in parse_trees(blocks, "t")]
    assert [write_tree(tree) for tree in again] == lines
    assert again == [escaped(tree) for tree in trees]


def escaped(node):
    if isinstance(node, Tree):
        return Tree(escape_word(node.label()), [escaped(child) for child in node])
    return escape_word(node)


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
        ("((S (A b))\n(S (C d)))", 2, "a second tree in the bracket that opens on line 1"),
        ("((A b)\nc)", 2, "the word 'c' in the bracket without a label that opens on line 1"),
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


def published(text):
    return [(write_tree(tree), place.line) for tree, place in parse_published([text], "t")]


def test_published_corpora_get_the_closing_brackets_that_they_lack_and_lose_those_too_many():
    text = "(\n (S (A b)\n(\n (S (C d)))\n(E (F g)\n#1\n(H i) ))\n( (S (J k)\n(. .)))\n( (S (L m))"
    assert published(text) == [
        ("( (S (A b)))", 1),
        ("( (S (C d)))", 3),
        ("(E (F g))", 5),
        ("(H i)", 7),
        ("( (S (J k) (. .)))", 8),
        ("( (S (L m)))", 10),
    ]


def test_published_sentences_of_several_trees_are_one_tree():
    assert published("#1 a b\n(A a)\n (B b)\n#2 c\n(C c)\n((S (D d)) (. .)))\n(E e) (F f)") == [
        ("( (A a) (B b))", 2),
        ("(C c)", 5),
        ("( (S (D d)) (. .))", 6),
        ("( (E e) (F f))", 7),
    ]


def test_published_sentences_that_are_an_unclosed_word_are_left_out():
    assert published("#1 Word\n(UTT+n Word\n#2\n (S (A b))\n#3\n(UTT+n Ana (S (C d))\n") == [
        ("(S (A b))", 4),
        ("(UTT+n Ana (S (C d)))", 6),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(A b)\nwords", "t:2: 'words' outside brackets, where a tree or a comment was expected"),
        ("#\n(S (NP ))", "t:2: a node (NP ) without words"),
        ("(S\n ((A b)))", "t:2: a node without a label in the tree of line 1; is a closing bracket missing?"),
        ("# nothing\n(UTT+n Word", "t: contains no tree"),
    ],
)
def test_published_corpora_may_not_have_just_anything(text, message):
    with pytest.raises(InputError) as caught:
        published(text)
    assert str(caught.value) == message


def test_writing_escapes_brackets_and_closes_up_white_space():
    tree = Tree("S", [Tree("(", ["("]), Tree("NN", ["a b\n c"]), Tree("NN", [""]), "f(x)[0]"])
    assert write_tree(tree) == "(S (-LRB- -LRB-) (NN a_b_c) (NN _) f-LRB-x-RRB--LSB-0-RSB-)"
    assert write_tree(Tree("", [Tree("S", ["a"])])) == "( (S a))"
    assert write_tree(IT_WORKS) == "(S (NP (PRP it)) (VP (VBZ works)))"


@given(st.text(st.sampled_from("()[]{}ab")))
@settings(max_examples=100, deadline=None)
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

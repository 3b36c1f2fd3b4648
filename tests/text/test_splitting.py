"""Where sentences end: exact results."""

from __future__ import annotations

import pytest

from seqtree.text.splitting import split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        (" \n\t ", []),
        ("hello", ["hello"]),
        ("It rains. It pours! Why?", ["It rains.", "It pours!", "Why?"]),
        (
            "Mr. Smith of Smith & Co. met Dr. J. R. Jones, e.g. at 5 p.m. They talked.",
            ["Mr. Smith of Smith & Co. met Dr. J. R. Jones, e.g. at 5 p.m.", "They talked."],
        ),
        (
            "The U.S. team won 3.5 points. In the U.S. The end.",
            ["The U.S. team won 3.5 points.", "In the U.S.", "The end."],
        ),
        ("He said no. Then he left... and came back.", ["He said no.", "Then he left... and came back."]),
        ("“Why?” she asked. “No.” He left.", ["“Why?” she asked.", "“No.”", "He left."]),
        ('"Why?" she asked. "No." He left.', ['"Why?" she asked.', '"No."', "He left."]),
        (
            "«Pourquoi?» dit-elle. »Warum?« fragte er. „Wer?“ fragte sie. «No.» So.",
            ["«Pourquoi?» dit-elle.", "»Warum?« fragte er.", "„Wer?“ fragte sie.", "«No.»", "So."],
        ),
        ("« Pourquoi ? » dit-elle. ‚Wer?‘ fragte sie. So.", ["« Pourquoi ? » dit-elle.", "‚Wer?‘ fragte sie.", "So."]),
        ("«لماذا؟» قال الرجل. «क्यों।» नहीं।", ["«لماذا؟»", "قال الرجل.", "«क्यों।»", "नहीं।"]),
        (
            "W. R. Grace and W.R. Lee are No. 1 (or 2?) here. So.",
            ["W. R. Grace and W.R. Lee are No. 1 (or 2?) here.", "So."],
        ),
        ("Mr. He and Mrs. She, e.g. The Who. They.", ["Mr. He and Mrs. She, e.g. The Who.", "They."]),
        ("who? me. no way", ["who?", "me.", "no way"]),
        ("Mix 1/2 tsp. salt with 1 tbsp. oil. Stir.", ["Mix 1/2 tsp. salt with 1 tbsp. oil.", "Stir."]),
        ("A heading\n\nA line\nand the next.", ["A heading", "A line\nand the next."]),
        ("我喜欢猫。你呢？！「好！」他说。", ["我喜欢猫。", "你呢？！", "「好！」他说。"]),
        ("「好。」「不好。」", ["「好。」", "「不好。」"]),
        ("What?!", ["What?!"]),
        ("Hello!! Really?! Yes.", ["Hello!!", "Really?!", "Yes."]),
        ("It ended. . . .", ["It ended. . . ."]),
        ("It ended.  .\n. . So.", ["It ended.  .\n. .", "So."]),
        ("Wait . . . what? . . . What?", ["Wait . . . what? . . .", "What?"]),
        ("! ! He left.” ”", ["! !", "He left.” ”"]),
        ("Go! 5! ½", ["Go!", "5!", "½"]),
        ("你好！ ！ 他『", ["你好！ ！", "他『"]),
        ("A heading\n\n***\n\nA line. ***", ["A heading", "***", "A line. ***"]),
        ("ماذا تريد؟ أريد كتابا. نعم", ["ماذا تريد؟", "أريد كتابا.", "نعم"]),
        ("שלום. מה שלומך?", ["שלום.", "מה שלומך?"]),
        # No sentence begins with a mark that closes.
        (
            'A day. "Not now!", he said. "Who?", he asked, "When?", and left.',
            ["A day.", '"Not now!", he said.', '"Who?", he asked, "When?", and left.'],
        ),
        (
            "“Not now!”, he said. (So cold!), he thought. So.",
            ["“Not now!”, he said.", "(So cold!), he thought.", "So."],
        ),
        (
            "The man (R., Ohio), by luck, won. Paris, Tex.; Rome.",
            ["The man (R., Ohio), by luck, won.", "Paris, Tex.; Rome."],
        ),
        ("He asked (why?): no. (Go!) He left.", ["He asked (why?): no.", "(Go!)", "He left."]),
        # A quoted question goes on with who asks it.
        (
            '"Why?" Smith asked. "No!" Dr. J. R. Jones of Ohio cried. "Yes!" I said.',
            ['"Why?" Smith asked.', '"No!" Dr. J. R. Jones of Ohio cried.', '"Yes!" I said.'],
        ),
        (
            '"Why?" He asked me. "Go!" Ann left. Why? Smith asked.',
            ['"Why?"', "He asked me.", '"Go!"', "Ann left.", "Why?", "Smith asked."],
        ),
        # Abbreviations before small letters and figures.
        (
            "The avg. temp. was low. It is 6 ft. 2 in. long. The xyz. was sold.",
            ["The avg. temp. was low.", "It is 6 ft. 2 in. long.", "The xyz. was sold."],
        ),
        (
            "the dept. of war. he came. i had fun. was great",
            ["the dept. of war.", "he came.", "i had fun.", "was great"],
        ),
        (
            "See no. 7, pp. 5-6 and vol. 3. See Fig. 3, Sec. IV and ch. 2. So.",
            ["See no. 7, pp. 5-6 and vol. 3.", "See Fig. 3, Sec. IV and ch. 2.", "So."],
        ),
        (
            "They met on Tue. Mar. 3. He came on Sat. at noon. He sat. May left.",
            ["They met on Tue. Mar. 3.", "He came on Sat. at noon.", "He sat.", "May left."],
        ),
        ("He said no. I left. The cat sat. 2 dogs ran.", ["He said no.", "I left.", "The cat sat.", "2 dogs ran."]),
        ("Yahoo! was sold. Is it? Was it?", ["Yahoo! was sold.", "Is it?", "Was it?"]),
        ("He saw Go! (1965), and left. Go! (He left.)", ["He saw Go! (1965), and left.", "Go!", "(He left.)"]),
        (
            'He works for Acme Corp. "I know," he said. He left at 5 p.m. I stayed.',
            ["He works for Acme Corp.", '"I know," he said.', "He left at 5 p.m.", "I stayed."],
        ),
        # The number of a list and its item.
        (
            "1. First, go. 2. Then, stop. 2.1. So. (a) Or so.",
            ["1. First, go.", "2. Then, stop.", "2.1. So.", "(a) Or so."],
        ),
        (
            "Figure 2. A house. iv. Last. It was in 2. Then he left.",
            ["Figure 2. A house.", "iv. Last.", "It was in 2.", "Then he left."],
        ),
        # What belongs to the sentence before it.
        ("He left.[17] She stayed.[3][4] So. [5] Smith.", ["He left.[17]", "She stayed.[3][4]", "So.", "[5] Smith."]),
        ("It rains. :) He left! <3 :D So.", ["It rains. :)", "He left! <3 :D", "So."]),
        ("Hi!!!How are you???Fine.", ["Hi!!!", "How are you???", "Fine."]),
        ("What?!No way!!", ["What?!", "No way!!"]),
    ],
)
def test_sentences(text, sentences):
    assert split_sentences(text) == sentences


@pytest.mark.parametrize("mark", [",", ";", ":", ")", "]", '",', '")', "”,", "’;", "», "])
@pytest.mark.parametrize("end", [".", "?", "!", "...", "Inc."])
def test_no_sentence_begins_with_a_mark_that_closes(end, mark):
    text = f"The first one {end}{mark} the second one. The third."
    assert split_sentences(text) == [f"The first one {end}{mark} the second one.", "The third."]

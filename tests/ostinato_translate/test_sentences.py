import pytest

from ostinato_translate.sentences import split_sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["Two dogs run.", "A man watches them!", "Does he laugh?"],
        ['"Come here!" he says.', "(She does not.)", "He goes."],
        ["Wait...", "No\u2026", "Now!?", "Yes."],
        ["Mr. Smith met Dr. J. R. Jones at 3 p.m. in St. Louis, i.e. there.", "They talked."],
        ["Am 3. Mai kam er z.B. nach Berlin.", "Es war 1989.", "Das war schön."],
        ["\u201eKomm!\u201c, sagte er.", "\u201eNein.\u201c", "\u00bbDoch!\u00ab"],
        ["Il dit\u00a0: \u00ab\u00a0Viens\u00a0!\u00a0\u00bb", "\u00c9l\u00e8ve ta voix.", "Pourquoi\u00a0?", "Oui."],
        ["Napsal 2. kapitolu, tj. konec.", "\u0158ekl: ano.", "\u017dena se usm\u00e1la."],
        ["It costs 3.50 euros.", "Version 2.0 is out.", "See ostinato.example for more."],
        ["He said no. and left."],
        ["no mark at all"],
        [],
    ],
)
def test_a_text_is_parted_where_its_sentences_end(sentences):
    assert split_sentences("  ".join(sentences)) == sentences


def test_scripts_without_spaces_are_parted_too():
    assert split_sentences("\u4f60\u597d\u3002\u518d\u89c1\uff01\u771f\u7684\u5417\uff1f\u662f") == [
        "\u4f60\u597d\u3002",
        "\u518d\u89c1\uff01",
        "\u771f\u7684\u5417\uff1f",
        "\u662f",
    ]


@pytest.mark.parametrize("text", ["?! . .. ... a.b.c. X.", "\t.\n", "A. B. C. " * 50, "\u3002\u3002 x", "Hello." * 40])
def test_nothing_is_lost(text):
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


def test_ten_thousand_characters_are_parted_in_no_time():
    sentences = split_sentences("The quick brown fox jumps over the lazy dog. " * 230)
    assert sentences == ["The quick brown fox jumps over the lazy dog."] * 230

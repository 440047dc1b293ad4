import pytest

from ostinato.font import cut_text, fit_text, load_font


@pytest.mark.parametrize("letter", "äßéœčřžůŁΩДع—…▁")
def test_letters_of_many_languages_are_drawn_and_are_no_boxes(letter):
    font = load_font(18)
    box = bytes(font.getmask("\uffff"))
    assert bytes(font.getmask(letter)) != box


def test_a_line_gets_the_largest_size_in_which_it_fits():
    assert fit_text("Ein Hund.", 400)[1].size == 24
    text, font = fit_text("Zwei Hunde laufen durch den Schnee.", 400)
    assert text == "Zwei Hunde laufen durch den Schnee."
    assert 10 < font.size < 24
    assert font.getlength(text) <= 400 < load_font(font.size + 1).getlength(text)


@pytest.mark.parametrize("width", [5, 40, 99])
def test_what_is_too_long_for_any_size_is_cut_as_late_as_possible(width):
    long = "durch " * 300
    text, font = fit_text(long, width)
    assert text.endswith("\u2026")
    assert font.getlength(text) <= width or text == "\u2026"
    assert font.getlength(long[: len(text) + 1].rstrip() + "\u2026") > width
    assert cut_text("no", 400, font) == "no"

from ostinato.commands import as_table


def test_a_table_has_a_figure_a_line():
    table = as_table(
        {"bleu_4": 23.456, "spice": None, "num_examples": 7, "decoding": {"beam_width": 5, "penalty": 0.6}}
    )
    assert table.split("\n") == [
        "bleu_4        23.46",
        "spice         -",
        "num_examples  7",
        "decoding      beam_width 5, penalty 0.60",
    ]

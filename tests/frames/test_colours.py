from ostinato.frames.colours import ink_on, is_background, label_colours, mix


def test_labels_have_colours_of_their_own_by_their_order_and_the_background_is_grey():
    labels = ["background", *(f"label {number}" for number in range(40))]
    colours = label_colours(labels)
    assert len(set(colours.values())) == 41
    assert max(colours["background"]) - min(colours["background"]) < 20
    assert label_colours(labels[1:6]) == {label: colours[label] for label in labels[1:6]}
    assert all(0 <= part <= 255 for colour in colours.values() for part in colour)


def test_a_label_that_comes_twice_keeps_its_colour():
    assert list(label_colours(["a", "b", "a"])) == ["a", "b"]
    assert label_colours(["a", "b", "a"]) == label_colours(["a", "b"])


def test_labels_that_say_that_nothing_happens_are_known():
    assert [label for label in ("None", "background", "nonet", "walk") if is_background(label)] == [
        "None",
        "background",
    ]


def test_ink_can_be_read_on_its_ground():
    assert sum(ink_on((250, 240, 200))) < 100
    assert sum(ink_on((20, 30, 90))) > 700
    assert mix((0, 100, 200), (255, 200, 0), 0.5) == (128, 150, 100)

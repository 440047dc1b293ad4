import pytest

from ostinato_translate.rows import split_of


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"),
        ("train.tags", "train"),
        ("europarl-training", "train"),
        ("val", "dev"),
        ("valid", "dev"),
        ("validation", "dev"),
        ("dev", "dev"),
        ("newsdev2016", "dev"),
        ("test", "test"),
        ("TEST", "test"),
        ("test_2016_flickr", "test"),
        ("newstest2014", "test"),
        ("IWSLT.tst2013", "test"),
        ("devtest", "test"),
        ("train-and-test", "test"),
        ("corpus", ""),
        ("europarl-v7.de-en", ""),
        ("contest", ""),
        ("interval", ""),
        ("developers", ""),
        ("constrain", ""),
    ],
)
def test_the_name_of_a_file_tells_its_split(name, split):
    assert split_of(name) == split

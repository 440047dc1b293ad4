from ostinato.commands import Faults
from ostinato.errors import InputError


def test_each_fault_is_one_line_and_the_exit_code_tells(capsys):
    faults = Faults("ostinato-caption")
    assert faults.exit_code == 0
    faults.report(InputError("a.jpg is\n empty; give a photo."))
    faults.report(InputError("the photo is damaged"), "-")
    faults.report(InputError("b.jpg is damaged"), "b.jpg")
    assert faults.exit_code == 1
    assert capsys.readouterr() == (
        "",
        "ostinato-caption: a.jpg is empty; give a photo.\n"
        "ostinato-caption: -: the photo is damaged\n"
        "ostinato-caption: b.jpg is damaged\n",
    )

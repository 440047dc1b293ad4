import dataclasses
from pathlib import Path
from typing import Literal

import pytest

from ostinato.config import check, check_limits, read_config, write_config
from ostinato.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class Settings:
    name: str = "five"
    units: int = 3
    learning_rate: float = 1e-3
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    mirrored: bool = True
    folder: Path = Path("here")
    limit: int | None = None
    sizes: tuple[int, ...] = (3, 5)
    shares: tuple[float, ...] = ()


def written(tmp_path, text):
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings('quo"tes\n', 7, 3e-4, "mixed_bfloat16", False, Path("/a b/c"), 5, (7,), (0.5, 1.0)),
        Settings(sizes=(), learning_rate=float("inf")),
    ],
)
def test_what_is_written_is_read_again(tmp_path, settings):
    write_config(tmp_path / "settings.toml", settings)
    assert read_config(tmp_path / "settings.toml", Settings) == settings


def test_fields_that_the_file_leaves_out_have_their_defaults(tmp_path):
    assert read_config(written(tmp_path, "units = 7"), Settings) == Settings(units=7)


def test_given_values_take_the_place_of_those_in_the_file(tmp_path):
    path = written(tmp_path, "units = 7\nname = 'seven'")
    assert read_config(path, Settings, given={"units": 5}) == Settings(units=5, name="seven")


def test_whole_numbers_serve_as_floats_inside_tuples_too(tmp_path):
    settings = read_config(written(tmp_path, "learning_rate = 1\nshares = [1, 0.5]"), Settings)
    assert [type(value) for value in (settings.learning_rate, *settings.shares)] == [float, float, float]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learning_rat = 1", r'settings.toml: unknown setting "learning_rat"; did you mean "learning_rate"\?'),
        ("learning-rate = 1", r'unknown setting "learning-rate"; did you mean "learning_rate"\?'),
        ("zzz = 1", r'unknown setting "zzz"; known are folder, learning_rate, limit, '),
        ("units = 2.5", r"settings.toml: units = 2.5 is not of type int"),
        ("units = true", r"units = True is not of type int"),
        ("mirrored = 1", r"mirrored = 1 is not of type bool"),
        ("limit = 'x'", r"limit = 'x' is not of type int"),
        ("sizes = [3, 'x']", r"sizes = 'x' is not of type int"),
        ("sizes = 3", r"sizes = 3 is not of type tuple"),
        ("precision = 'float16'", r"precision = 'float16' is none of 'float32', 'mixed_bfloat16'"),
        ("precision = [1]", r"precision = \[1\] is none of"),
        ("units = 1\nname = five", r"settings.toml: is no TOML: .*line 2"),
        ("[model]\nunits = 3", r"settings.toml: \[model\] is a table; write the settings without tables"),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence_that_names_it(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        read_config(written(tmp_path, text), Settings)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read \(No such file"):
        read_config(tmp_path / "none.toml", Settings)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(tmp_path, Settings)


def test_a_file_with_a_byte_order_mark_or_in_another_encoding(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xef\xbb\xbfunits = 5")
    assert read_config(path, Settings).units == 5
    path.write_bytes("name = 'Häuser'".encode("latin-1"))
    with pytest.raises(ConfigError, match="is no TOML"):
        read_config(path, Settings)


def test_a_setting_outside_its_range_is_an_error_of_the_settings():
    check(True, "not said")
    with pytest.raises(ConfigError, match=r"^units must be 1 or more, is 0$"):
        check(False, "units must be 1 or more, is 0")


@dataclasses.dataclass(frozen=True)
class Limited:
    beam_width: int = 5


def test_a_number_beyond_its_limits_is_named_by_its_flag():
    for width in (1, 9):
        check_limits(Limited(width), {"beam_width": (1, 9)})
    for width in (0, 10):
        with pytest.raises(ConfigError, match=f"--beam-width {width} is not within 1 and 9"):
            check_limits(Limited(width), {"beam_width": (1, 9)})

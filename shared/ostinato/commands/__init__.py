"""What the command line of every application shares. Importing it starts no framework: `--help` is to be instant."""

from ostinato.commands.application import make_application, run_application, say
from ostinato.commands.config_file import ConfigFile
from ostinato.commands.faults import Faults
from ostinato.commands.model_defaults import ModelDefaults
from ostinato.commands.progress import counter, progress, progress_bar
from ostinato.commands.tables import as_table
from ostinato.commands.tensorflow_startup import quiet_tensorflow, quiet_tensorflow_for
from ostinato.commands.text_files import read_json, read_text

__all__ = [
    "ConfigFile",
    "Faults",
    "ModelDefaults",
    "as_table",
    "counter",
    "make_application",
    "progress",
    "progress_bar",
    "quiet_tensorflow",
    "quiet_tensorflow_for",
    "read_json",
    "read_text",
    "run_application",
    "say",
]

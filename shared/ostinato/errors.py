"""The faults that a user can mend. Each message is one sentence that names the value and the remedy."""


class UserError(Exception):
    """Something that the user gave cannot be used. Command lines print the message and exit with code 2."""


class InputError(UserError):
    """One input (a photo, a line, a clip) cannot be read. Command lines name it, go on, and exit with code 1."""


class ConfigError(UserError):
    """A setting has an unknown name or an impossible value."""


class DataError(UserError):
    """A data set is not laid out as expected, or a run directory was made from other data."""


class ModelError(UserError):
    """A model artefact is missing, damaged, or failed its proof."""


class ServerError(UserError):
    """A model server cannot be reached, or does not give what it was asked for."""

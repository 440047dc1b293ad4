"""Settings that a command line leaves out are those that the model was exported with."""

from __future__ import annotations

import cyclopts

from ostinato.errors import ConfigError, ModelError


class ModelDefaults:
    """A source of settings for a verb of `cyclopts`: the decoding settings in the model's interface.json.

    Args:
      flag: of the verb, names the model.
      default: the model where the flag is not given.
      unless: a flag with which the verb uses no exported model.

    Raises (when the command line is parsed):
      ConfigError: both flags are given.
    """

    def __init__(self, flag: str, default: str, *, unless: str = ""):
        self.flag, self.default, self.unless = flag, default, unless

    def __call__(self, app: cyclopts.App, commands: tuple[str, ...], arguments: cyclopts.ArgumentCollection) -> None:
        from ostinato.export import find_model
        from ostinato.export.loading import read_interface

        given = _tokens(arguments, self.flag)
        if _tokens(arguments, self.unless):
            if given:
                raise ConfigError(f"{self.flag} and {self.unless} exclude each other; give one of them")
            return
        model = given[-1].value if given else self.default
        try:
            decoding = read_interface(find_model(model)).get("metadata", {}).get("decoding", {})
        except ModelError:
            return  # the verb itself says it, after the other arguments have been looked at
        for argument in arguments:
            if argument.keys and argument.keys[-1] in decoding and not argument.tokens:
                value = decoding[argument.keys[-1]]
                argument.append(cyclopts.Token(keyword=argument.keys[-1], source=str(model), implicit_value=value))


def _tokens(arguments: cyclopts.ArgumentCollection, flag: str) -> list[cyclopts.Token]:
    return next((argument.tokens for argument in arguments if flag in argument.names), [])

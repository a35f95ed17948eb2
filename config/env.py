"""Environment variables, read strictly: a missing or odd value stops the program with a hint."""

import math
import os
from collections.abc import Mapping

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


class BadEnvironment(Exception):
    """An environment variable is missing or cannot be understood."""


class Env:
    """Reads one mapping of variables; every method raises `BadEnvironment` naming the variable."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables

    def text(self, name: str, default: str | None = None, *, hint: str = "") -> str:
        value = self._variables.get(name, "")
        if value:
            return value
        if default is None:
            raise BadEnvironment(f"{name} is not set. {hint}".strip())
        return default

    def together(self, *names: str) -> dict[str, str]:
        """Variables of which all are given, or none: an empty mapping."""
        given = {name: self._variables[name] for name in names if self._variables.get(name)}
        if given and len(given) < len(names):
            missing = ", ".join(name for name in names if name not in given)
            raise BadEnvironment(f"{', '.join(names)} go together; {missing} is not set.")
        return given

    def flag(self, name: str, default: bool) -> bool:
        value = self._variables.get(name, "").lower()
        if not value:
            return default
        if value not in TRUE | FALSE:
            raise BadEnvironment(f"{name} must be one of 1, 0, true, false, not {value!r}.")
        return value in TRUE

    def number(self, name: str, default: float, *, least: float = -math.inf) -> float:
        text = self._variables.get(name, "")
        try:
            value = float(text) if text else default
        except ValueError:
            value = math.nan
        if not least <= value < math.inf:
            bound = "" if math.isinf(least) else f" of {least:g} or more"
            raise BadEnvironment(f"{name} must be a number{bound}, not {text!r}.")
        return value

    def words(self, name: str, default: str = "") -> list[str]:
        """A comma-separated list; blanks are dropped."""
        return [word.strip() for word in self.text(name, default).split(",") if word.strip()]

"""Errors shown to users: one sentence that says what is wrong, what was expected and what to do."""


class InputError(ValueError):
    """Bad user input (file, option, prompt). The message is shown as it is, without a traceback."""


class Cancelled(Exception):
    """Raised inside a step when the user asked to stop; what was committed stays."""

"""What is refused. The message is one sentence for the user; the class says why, for those who answer over HTTP."""


class Refused(ValueError):
    """A value is missing, unknown or out of its range."""


class Unknown(Refused):
    """There is no such thing."""


class Conflict(Refused):
    """It cannot be done in the present state."""


class TooLarge(Refused):
    """More than is taken."""

"""The five kinds of error, by who must act.

A message names the thing, its value, what was expected, and what to do::

    raise BadConfig("train.every", "2 hours", "a duration like 2h or 30m", "write train.every: 2h")
"""


class HotpathError(Exception):
    """Root of the tree: a thing, its value, the expectation, and what to do about it."""

    def __init__(self, thing: str, value: object, expected: str, todo: str = "") -> None:
        self.thing, self.value, self.expected, self.todo = thing, value, expected, todo
        super().__init__(thing, value, expected, todo)

    def __str__(self) -> str:
        said = f"{self.thing}: found {shown(self.value)}, expected {self.expected}"
        return f"{said}; {self.todo}" if self.todo else said


class BadInput(HotpathError):
    """The caller must act: an event goes to `rejected`, a request gets a 4xx.

    `thing` is the field's name. A request's answer never echoes `value`.
    """


class BadConfig(HotpathError):
    """The operator must act: the program refuses to start."""


class BadArtifact(HotpathError):
    """The trainer must act: a bundle or lake file is refused, what is live stays untouched."""


class Unavailable(HotpathError):
    """A dependency is away: 503, or retry with back-off and a deadline."""


class Bug(HotpathError):
    """We must act: crash loudly."""


def shown(value: object, limit: int = 120) -> str:
    """`value` as it stands in a message: a string quoted, everything cut at `limit` characters."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."

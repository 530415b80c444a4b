"""The words of a filter and where they stand, counted in characters."""

import re
from dataclasses import dataclass

# Digits are bounded, so that no number takes long to read.
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<ago>[+-]\d{1,6}[smhdw](?!\w))
    |(?P<number>[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?(?!\w))
    |(?P<text>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<key>`(?:[^`]|``)+`)
    |(?P<word>[^\W\d]\w*)
    |(?P<mark>!=|<>|<=|>=|[=<>(),.])""",
    re.VERBOSE,
)
_QUOTES = frozenset({"text", "quoted", "key"})


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the filter: where it begins, and how many characters it has."""

    start: int
    length: int

    @property
    def end(self) -> int:
        """Where what follows begins."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Token:
    """One word; the text without its quotes."""

    kind: str
    text: str
    span: Span

    def says(self, word: str) -> bool:
        """Whether it is this keyword or mark."""
        return self.kind in {"word", "mark"} and self.text.upper() == word


class Mistake(Exception):
    """A filter that cannot be read: what was expected, and where."""

    def __init__(self, expected: str, span: Span) -> None:
        super().__init__(f"Expected {expected} at character {span.start + 1}.")
        self.expected = expected
        self.span = span


def read_tokens(text: str) -> list[Token]:
    """All tokens, and one of the kind `end` behind them.

    Raises:
        Mistake: a character begins none, or a quote is not closed.
    """
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _unreadable(text, at)
        kind, word = match.lastgroup, match[0]
        if kind in _QUOTES:
            word = word[1:-1].replace(word[0] * 2, word[0])
        if kind != "space":
            tokens.append(Token(kind, word, Span(at, match.end() - at)))
        at = match.end()
    return [*tokens, Token("end", "", Span(len(text), 0))]


def _unreadable(text: str, at: int) -> Mistake:
    if text[at] in "'\"`":
        return Mistake(f"a closing {text[at]}", Span(at, len(text) - at))
    return Mistake("a field, a comparator or a value", Span(at, 1))

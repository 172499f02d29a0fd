"""Formats of a text field: one row a format, a pattern that the whole text matches.

Patterns keep to what Python's `re` and ECMA 262 (JSON Schema's `pattern`) read alike: ASCII classes, no look
behind, no flags.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """`pattern` is anchored by its reader; `source` says who defines it."""

    name: str
    pattern: str
    doc: str
    source: str


_HEX = "[0-9a-fA-F]"
_LABEL = "[0-9A-Za-z-]{1,63}"
_BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"

FORMATS: tuple[Format, ...] = (
    Format("uuid", f"{_HEX}{{8}}(-{_HEX}{{4}}){{3}}-{_HEX}{{12}}", "a UUID", "RFC 9562"),
    Format("date", "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", "a calendar date", "RFC 3339"),
    Format(
        "email",
        r"[!-?A-~]{1,64}@[0-9A-Za-z-]{1,63}(\.[0-9A-Za-z-]{1,63})+",
        "a mail address",
        "RFC 5321, in outline",
    ),
    Format("ipv4", rf"{_BYTE}(\.{_BYTE}){{3}}", "an IPv4 address", "RFC 2673"),
    Format("country", "[A-Z]{2}", "a country's two letters", "ISO 3166-1"),
    Format("currency", "[A-Z]{3}", "a currency's three letters", "ISO 4217"),
    Format("digits", "[0-9]+", "digits only", "here"),
    Format("hex", f"{_HEX}+", "hexadecimal digits only", "RFC 4648"),
)
BY_NAME = {f.name: f for f in FORMATS}

"""Who pays where for what: countries, categories of merchants, systems, and one payment drawn of them.

Pure tables. Where a country lies is a point in its middle or its capital; shares need not add up.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Country:
    """`share` of the payments; currency; degrees north and east."""

    code: str
    share: int
    currency: str
    lat: float
    lon: float


@dataclass(frozen=True)
class Category:
    """What a merchant sells: `share` of the payments, what is usually paid (EUR), how many are online (%)."""

    name: str
    share: int
    usual: float
    online: int


COUNTRIES = (
    Country("CH", 30, "CHF", 46.9, 7.4),
    Country("DE", 14, "EUR", 52.5, 13.4),
    Country("FR", 10, "EUR", 48.9, 2.4),
    Country("IT", 9, "EUR", 41.9, 12.5),
    Country("AT", 8, "EUR", 48.2, 16.4),
    Country("GB", 7, "GBP", 51.5, -0.1),
    Country("ES", 6, "EUR", 40.4, -3.7),
    Country("NL", 5, "EUR", 52.4, 4.9),
    Country("US", 5, "USD", 38.9, -77.0),
    Country("SE", 4, "SEK", 59.3, 18.1),
    Country("PT", 3, "EUR", 38.7, -9.1),
    Country("PL", 3, "PLN", 52.2, 21.0),
    Country("TR", 2, "TRY", 39.9, 32.9),
    Country("AE", 2, "USD", 24.5, 54.4),
    Country("TH", 2, "USD", 13.8, 100.5),
    Country("BR", 1, "USD", -15.8, -47.9),
    # A code that users assigned themselves: no table of countries has it.
    Country("XK", 1, "EUR", 42.7, 21.2),
)
CATEGORIES = (
    Category("groceries", 30, 28.0, 10),
    Category("restaurants", 18, 35.0, 5),
    Category("fuel", 8, 60.0, 0),
    Category("clothing", 9, 70.0, 50),
    Category("electronics", 7, 180.0, 60),
    Category("travel", 6, 320.0, 85),
    Category("pharmacy", 6, 22.0, 15),
    Category("entertainment", 6, 18.0, 90),
    Category("furniture", 3, 240.0, 40),
    Category("jewellery", 2, 300.0, 30),
    Category("gambling", 3, 40.0, 95),
    Category("transfers", 2, 150.0, 100),
)
SYSTEMS = ("android", "ios", "web")
VERSIONS = {"android": ("8.1", "8.2", "8.3"), "ios": ("8.2", "8.3"), "web": ("2026.10", "2026.11")}
"""Versions of the application, the oldest first."""

COUNTRIES_BY_SHARE = tuple(c for c in COUNTRIES for _ in range(c.share))
CATEGORIES_BY_SHARE = tuple(c for c in CATEGORIES for _ in range(c.share))
"""Each as often as its share says, to draw from."""

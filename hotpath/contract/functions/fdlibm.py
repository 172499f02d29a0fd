"""exp and log1p as fdlibm computes them (Sun, 1993: e_exp.c, s_log1p.c), to the last bit.

Java's StrictMath is specified to be fdlibm, and Spark's functions of these names are StrictMath's; the C
library behind Python's math rounds some results otherwise. Error below 1 unit in the last place.
"""

from __future__ import annotations

from math import frexp, inf, ldexp

_LN2_HI, _LN2_LO = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_PER_LN2 = 1.44269504088896338700e00
_OVERFLOW, _UNDERFLOW = 7.09782712893383973096e02, -7.45133219101941108420e02
# fdlibm compares high words; these are the doubles whose high word begins there.
_TINY_EXP = 2.0**-28
_HALF_LN2 = float.fromhex("0x1.62e43p-2")
_ONE_AND_HALF_LN2 = float.fromhex("0x1.0a2b2p0")
_TINY_LOG, _TINIEST_LOG = 2.0**-29, 2.0**-54
_NEAR_BELOW, _NEAR_ABOVE = float.fromhex("-0x1.2bec4p-2"), float.fromhex("0x1.a827ap-2")
_SQRT_2 = 0x6A09E


def exp(x: float) -> float:
    """e to the power of a finite x; inf where it is beyond a double."""
    if x > _OVERFLOW:
        return inf
    if x < _UNDERFLOW:
        return 0.0
    size = abs(x)
    if size < _TINY_EXP:
        return 1.0 + x
    if size < _HALF_LN2:
        c = _exp_rest(x)
        return 1.0 - ((x * c) / (c - 2.0) - x)
    sign = 1 if x > 0 else -1
    k = sign if size < _ONE_AND_HALF_LN2 else int(_PER_LN2 * x + 0.5 * sign)
    high, low = x - k * _LN2_HI, k * _LN2_LO
    x = high - low
    c = _exp_rest(x)
    return ldexp(1.0 - ((low - (x * c) / (2.0 - c)) - high), k)


def _exp_rest(x: float) -> float:
    t = x * x
    return x - t * (
        1.66666666666666019037e-01
        + t
        * (
            -2.77777777770155933842e-03
            + t
            * (
                6.61375632143793436117e-05
                + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08)
            )
        )
    )


def log1p(x: float) -> float:
    """The natural logarithm of 1 + x, for a finite x above -1."""
    size = abs(x)
    if size < _TINY_LOG:
        return x if size < _TINIEST_LOG else x - x * x * 0.5
    if _NEAR_BELOW < x < _NEAR_ABOVE:
        half, s, rest = _log_parts(x)
        return x - (half - s * (half + rest))
    u = 1.0 + x if x < 2.0**53 else x
    fraction, exponent = frexp(u)
    k = exponent - 1
    lost = (0.0 if x >= 2.0**53 else 1.0 - (u - x) if k > 0 else x - (u - 1.0)) / u
    bits = int((fraction * 2.0 - 1.0) * 2.0**20)
    if bits < _SQRT_2:
        f = fraction * 2.0 - 1.0
    else:
        k, f, bits = k + 1, fraction - 1.0, (0x100000 - bits) >> 2
    if bits == 0:
        return _log_of_power(f, k, lost)
    half, s, rest = _log_parts(f)
    return k * _LN2_HI - ((half - (s * (half + rest) + (k * _LN2_LO + lost))) - f)


def _log_of_power(f: float, k: int, lost: float) -> float:
    """Of 2^k, but for |f| < 2^-20."""
    if f == 0.0:
        return k * _LN2_HI + (lost + k * _LN2_LO)
    rest = 0.5 * f * f * (1.0 - 0.66666666666666666 * f)
    return f - rest if k == 0 else k * _LN2_HI - ((rest - (k * _LN2_LO + lost)) - f)


def _log_parts(f: float) -> tuple[float, float, float]:
    s = f / (2.0 + f)
    z = s * s
    rest = 1.531383769920937332e-01 + z * 1.479819860511658591e-01
    rest = 2.222219843214978396e-01 + z * (1.818357216161805012e-01 + z * rest)
    rest = 3.999999999940941908e-01 + z * (2.857142874366239149e-01 + z * rest)
    return 0.5 * f * f, s, z * (6.666666666666735130e-01 + z * rest)

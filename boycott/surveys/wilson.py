"""What a share of those who answered says of all. Pure.

Source: E B Wilson, Probable inference, the law of succession, and statistical inference, Journal of
the American Statistical Association 22 (1927), 209 to 212: stays within 0 and 1 and is right for
small numbers too, where the usual "plus or minus" is not.
"""

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

# Of the standard normal distribution: 95% lies within this many deviations.
Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Interval:
    """Both ends as shares from 0 to 1."""

    low: float
    high: float


def wilson(part: int, whole: int, z: float = Z_95) -> Interval:
    """The interval for `part` of `whole`; raises `ValueError` unless 0 <= part <= whole and whole > 0."""
    if not 0 <= part <= whole or whole == 0:
        raise ValueError(f"{part} of {whole} is no share")
    share, spread = part / whole, z * z / whole
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / whole + spread / (4 * whole)) / (1 + spread)
    # Rounding of the last digit must not put an end outside, nor the share itself.
    return Interval(max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share)))


def per_cent(share: float) -> str:
    """`65.7%`."""
    return f"{_one_decimal(share)}%"


def whole_per_cent(share: float) -> str:
    """`66%`: the figure that the table shows with a decimal, rounded, so that both can be compared."""
    return f"{_one_decimal(share).quantize(Decimal(1), ROUND_HALF_UP)}%"


def _one_decimal(share: float) -> Decimal:
    return Decimal(share * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)

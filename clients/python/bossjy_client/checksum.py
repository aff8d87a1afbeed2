"""CRC-32C of an upload's chunks: by google-crc32c if it is installed, else by Python's long numbers (30 MB/s).

A chunk is a polynomial over GF(2). Its first half times x^k, reduced to 32 bits, is added to its second half; so it
halves until a table is enough. Bits are reflected: the lowest bit has the highest power.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import cast

_POLYNOMIAL = 0x82F63B78
_MASK = 0xFFFFFFFF
# Bits below which the table is as fast.
_TABLE_BITS = 4096


def _reduced(value: int) -> int:
    """A 32-bit polynomial times x."""
    return value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)


def _entry(byte: int) -> int:
    for _ in range(8):
        byte = _reduced(byte)
    return byte


_TABLE = tuple(map(_entry, range(256)))


def _product(one: int, other: int) -> int:
    """The product of two 32-bit polynomials."""
    product = 0
    while one:
        if one & 0x80000000:
            product ^= other
        one = one << 1 & _MASK
        other = _reduced(other)
    return product


@lru_cache(256)
def _power(exponent: int) -> tuple[int, ...]:
    """The positions of the bits of x**exponent."""
    result, square = 0x80000000, 0x40000000
    while exponent:
        if exponent & 1:
            result = _product(result, square)
        square = _product(square, square)
        exponent >>= 1
    return tuple(place for place in range(32) if result >> place & 1)


def python_crc32c(data: bytes) -> int:
    """CRC-32C without a library."""
    bits = 8 * len(data)
    crc = _MASK
    if bits > _TABLE_BITS:
        value, crc = int.from_bytes(data, "little") ^ _MASK, 0
        while bits > _TABLE_BITS:
            first = (bits - 32) // 16 * 8
            rest = bits - first
            half, folded = (value & (1 << first) - 1) << (rest - first - 31), 0
            for place in _power(rest):
                folded ^= half << place
            value, bits = value >> first ^ folded, rest
        data = value.to_bytes(bits // 8, "little")
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ _MASK


def _fastest() -> Callable[[bytes], int]:
    try:
        import google_crc32c  # noqa: PLC0415 - optional
    except ImportError:
        return python_crc32c
    return cast("Callable[[bytes], int]", google_crc32c.value)


crc32c = _fastest()

"""Mobile tokens: a digit that Argentina inserts before the area code of mobile numbers, and that places omit.

`phonenumbers.geocoder` removes it and parses the rest again. Usually that changes nothing; if it might, this module
parses as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import phonenumbers
from numpy.typing import NDArray
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, PhoneMetadata, PhoneNumberFormat
from phonenumbers.phonenumberutil import country_mobile_token


@dataclass(frozen=True, slots=True)
class MobileToken:
    """The token of one calling code."""

    calling_code: int
    token: str
    # The region in which the rest is parsed.
    region: str
    # Optional prefixes of the rest in that region.
    prefixes: tuple[re.Pattern[str], ...]
    # True if such a prefix begins with 0 or contains 15.
    prefix_is_15: bool

    def is_plain(self, rest: str) -> bool:
        """True if parsing national digits without their token surely gives the same digits.

        No national or international prefix in front, no calling code, and no zero that a number would store separately.
        """
        if len(rest) < 3 or rest[0] == "0" or rest.startswith(str(self.calling_code)):
            return False
        return not any(found.end() for prefix in self.prefixes if (found := prefix.match(rest)) is not None)

    def are_plain(
        self, data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """True for those of n rests `data[starts[i] : starts[i] + lengths[i]]` that are plain without a closer look."""
        if not self.prefix_is_15:
            return np.zeros(len(starts), np.bool_)

        # Bytes beyond the end of a rest can only cause an unnecessary closer check.
        longest = max(int(np.max(lengths, initial=0)), 3)
        digits = data[np.minimum(starts[:, None] + np.arange(longest), len(data) - 1)]
        code = np.frombuffer(str(self.calling_code).encode(), np.uint8)
        doubtful = (digits[:, 0] == ord("0")) | (digits[:, : len(code)] == code).all(axis=1)
        doubtful |= ((digits[:, :-1] == ord("1")) & (digits[:, 1:] == ord("5"))).any(axis=1)
        plain: NDArray[np.bool_] = (lengths >= 3) & ~doubtful
        return plain

    def digits(self, digits: str) -> str:
        """The digits of E.164, without `+`, by which the place of a number with the token is found."""
        code = str(self.calling_code)
        rest = digits[len(code) + len(self.token) :]
        if self.is_plain(rest):
            return code + rest
        try:
            parsed = phonenumbers.parse(rest, self.region)
        except NumberParseException:
            return digits
        return phonenumbers.format_number(parsed, PhoneNumberFormat.E164).removeprefix("+")


def mobile_tokens() -> dict[int, MobileToken]:
    """The tokens by calling code. NotImplementedError if one is not a single digit."""
    tokens = {}
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        token = country_mobile_token(code)
        if token:
            if len(token) != 1:
                raise NotImplementedError(f"the mobile token {token} of +{code}")
            metadata = PhoneMetadata.metadata_for_region(regions[0])
            if metadata is None:
                raise NotImplementedError(f"{regions[0]} without metadata")
            national = metadata.national_prefix_for_parsing or ""
            prefixes = tuple(re.compile(one) for one in (national, metadata.international_prefix or ""))
            tokens[code] = MobileToken(code, str(token), regions[0], prefixes, _is_15(national))
    return tokens


def _is_15(prefix: str) -> bool:
    """True if a pattern has the form `0?(?:(area code)15)?`, like Argentina's."""
    return prefix.startswith("0?(?:(") and prefix.endswith(")15)?")

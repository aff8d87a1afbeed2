"""Mobile tokens: a digit that Argentina puts before the area code of mobile numbers, and that places do not know.

`phonenumbers.geocoder` takes it off and parses what is left anew. Mostly that changes nothing; where it might,
it is done as well.
"""

from __future__ import annotations

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
    # The region in which the rest is read.
    region: str
    # Whether «15 behind an area code» and «0 in front» are all that the region's national prefix may be.
    prefix_is_15: bool

    def are_plain(
        self, data: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """`is_plain` of each of n rests, `data[starts[i] : starts[i] + lengths[i]]`."""
        if not self.prefix_is_15:
            return np.zeros(len(starts), np.bool_)

        def stands(text: str, place: int) -> NDArray[np.bool_]:
            there = lengths >= place + len(text)
            for offset, digit in enumerate(text):
                there &= data[np.minimum(starts + place + offset, len(data) - 1)] == ord(digit)
            return there

        plain = lengths > 2
        for text, place in (("0", 0), (str(self.calling_code), 0), *(("15", place) for place in range(2, 7))):
            plain &= ~stands(text, place)
        return plain

    def is_plain(self, rest: str) -> bool:
        """Whether parsing national digits without their token surely gives the same digits.

        No 0 in front, which a national or an international prefix has; no calling code in front; no 15 behind what
        may be an area code of two to six digits.
        """
        return (
            self.prefix_is_15
            and len(rest) > 2
            and rest[0] != "0"
            and not rest.startswith(str(self.calling_code))
            and "15" not in rest[2:8]
        )

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
            prefix = (metadata.national_prefix_for_parsing or "") if metadata is not None else ""
            known = prefix.startswith("0?(?:(") and prefix.endswith(")15)?")
            tokens[code] = MobileToken(code, str(token), regions[0], known)
    return tokens

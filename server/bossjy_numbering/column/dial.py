"""Parser of digit columns into calling code and national number: the steps of `phonenumberutil.parse`.

`scalar.py` has the same steps for one number and is easier to read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column.leading_digits import (
    TENS,
    UNDECIDED,
    ZERO,
    by_region,
    codes_by_three_digits,
    first_number,
    leading_digits_of,
    lengths_by_two_digits,
)
from bossjy_numbering.column.packed_digits import ROOM, Flags, Ints, States, Walker
from bossjy_numbering.prefix import NO_PREFIX, REWRITES
from bossjy_numbering.tables import Tables
from bossjy_numbering.types import ParseError, PossibleReason

Bytes = NDArray[np.uint8]


@dataclass(slots=True)
class Dialled:
    """The parsed digits of each row; all (n,). If `error` or `unclear` is set, the other fields are meaningless."""

    # Position of the calling code in `Tables.calling_codes`.
    code: Ints
    # The national number in the buffer that was read.
    starts: Ints
    lengths: Ints
    outcome: NDArray[np.uint16]
    error: Bytes
    # Rows that a prefix rule rewrites, or that need a second attempt: they are read one by one.
    unclear: Flags


class Dialler:
    """The tables of a plan, in the layout for parsing columns."""

    def __init__(self, tables: Tables, walker: Walker) -> None:
        self._walker = walker
        self._outcome = tables.outcome
        self._general = tables.outcome_general
        self._codes = codes = tables.calling_codes.astype(np.int64)
        self.code_state = tables.calling_code_state
        self.code_length = np.where(codes < 10, 1, np.where(codes < 100, 2, 3)).astype(np.int64)
        self._main_region = tables.main_region.astype(np.int64)
        self.code_by_digits = codes_by_three_digits(codes)
        regions = tables.regions
        self._region_code = np.array([region.calling_code_index for region in regions], np.int64)
        self._general_bit = np.array([1 << region.ordinal for region in regions], np.uint32)
        self._reason = tables.possible_reason
        national = np.array([region.national_prefix_state for region in regions], np.int64)
        international = np.array([region.international_prefix_state for region in regions], np.int64)
        self._national_state = national.clip(min=0).astype(np.uint16)
        self._international_state = international.clip(min=0).astype(np.uint16)
        self._national_length = lengths_by_two_digits(tables, national)
        self._international_length = lengths_by_two_digits(tables, international)
        # By region and two digits: true if they can begin the region's own calling code.
        self._begins_with_code = leading_digits_of(codes[self._region_code])
        keeps = np.zeros(256, np.bool_)
        keeps[[PossibleReason.TOO_SHORT, PossibleReason.IS_POSSIBLE_LOCAL_ONLY, PossibleReason.INVALID_LENGTH]] = True
        # Rule 15, by region and length: true if a number this short is worse than one that keeps its prefix.
        self._not_stripped = keeps[tables.possible_reason]

    def dial(self, buffer: Bytes, starts: Ints, lengths: Ints, plus: Flags, region: Ints) -> Dialled:
        """Reads digits: 3 or more in each row. `region`: position in `Tables.regions`, -1 for none. All (n,)."""
        count = len(starts)
        row = Dialled(
            code=np.zeros(count, np.int64),
            starts=starts.copy(),
            lengths=lengths.copy(),
            outcome=np.zeros(count, np.uint16),
            error=np.zeros(count, np.uint8),
            unclear=np.zeros(count, np.bool_),
        )
        # The region whose rules apply to the national number.
        rules = region.copy()
        self._international(buffer, row, rules, np.flatnonzero(plus))
        self._national(buffer, row, rules, np.flatnonzero(~plus))
        row.unclear |= row.lengths > ROOM
        known = self._strip_national_prefix(buffer, row, rules)
        going = np.flatnonzero((row.error == 0) & ~row.unclear & ~known)
        row.outcome[going] = self._outcomes(buffer, row.starts[going], row.lengths[going], row.code[going])
        return row

    def _international(self, buffer: Bytes, row: Dialled, rules: Ints, rows: Ints) -> None:
        unknown = self._take_code(buffer, row, rules, rows)
        # Rule 9: a second attempt without the plus.
        row.unclear[unknown] = True

    def _take_code(self, buffer: Bytes, row: Dialled, rules: Ints, rows: Ints) -> Ints:
        """Rules 8 and 11: strips the calling code of rows. Returns the rows that have no known code."""
        starts = row.starts[rows]
        code = self.code_by_digits[first_number(buffer, starts, 3)]
        known = code >= 0
        rows_known, code = rows[known], code[known]
        length = self.code_length[code]
        row.code[rows_known] = code
        row.starts[rows_known] += length
        row.lengths[rows_known] -= length
        rules[rows_known] = self._main_region[code]
        return rows[~known]

    def _national(self, buffer: Bytes, row: Dialled, rules: Ints, rows: Ints) -> None:
        without_region = rules[rows] < 0
        row.error[rows[without_region]] = ParseError.INVALID_COUNTRY_CODE
        rows = rows[~without_region]
        row.code[rows] = self._region_code[rules[rows]]
        place = by_region(buffer, row.starts[rows], rules[rows])
        had_idd = self._strip_idd(buffer, row, rules, rows, place)
        behind_idd = rows[had_idd]
        enough = behind_idd[row.error[behind_idd] == 0]
        row.error[self._take_code(buffer, row, rules, enough)] = ParseError.INVALID_COUNTRY_CODE
        may_begin = self._begins_with_code.take(place)
        may_begin &= ~had_idd
        self._code_without_plus(buffer, row, rules, rows[may_begin])

    def _strip_idd(self, buffer: Bytes, row: Dialled, rules: Ints, rows: Ints, place: Ints) -> Flags:
        """Rule 7: strips international prefixes. Returns the rows that had one, rows with an error included."""
        length = self._international_length.take(place)
        may = np.flatnonzero(length != NO_PREFIX)
        length, some = length[may], rows[may]
        starts, lengths = row.starts[some], row.lengths[some]
        self._walk_undecided(buffer, starts, lengths, self._international_state[rules[some]], length)
        followed = (length < lengths) & (buffer[starts + length] == ZERO)
        stripped = (length != NO_PREFIX) & ~followed
        some, length = some[stripped], length[stripped]
        row.starts[some] += length
        row.lengths[some] -= length
        row.error[some[row.lengths[some] <= 2]] = ParseError.TOO_SHORT_AFTER_IDD
        had = np.zeros(len(rows), np.bool_)
        had[may[stripped]] = True
        return had

    def _code_without_plus(self, buffer: Bytes, row: Dialled, rules: Ints, rows: Ints) -> None:
        """Rule 10: the default region's own calling code, written without a plus."""
        starts, region, code = row.starts[rows], rules[rows], row.code[rows]
        beginning = first_number(buffer, starts, 3) // TENS[3 - self.code_length[code]]
        begins = beginning == self._codes[code]
        # These rows are longer than a walk: `dial` marks them as unclear.
        begins &= row.lengths[rows] <= ROOM
        rows, starts, region, code = rows[begins], starts[begins], region[begins], code[begins]
        if not len(rows):
            return
        lengths, skipped = row.lengths[rows], self.code_length[code]
        rest_starts, rest_lengths, unclear, _, _ = self._without_prefix(
            buffer, starts + skipped, lengths - skipped, region, code
        )
        whole = self._matches(self._outcomes(buffer, starts, lengths, code), region)
        rest = self._matches(self._outcomes(buffer, rest_starts, rest_lengths, code), region)
        too_long = self._reason[region, lengths] == PossibleReason.TOO_LONG
        taken = (too_long | (rest & ~whole)) & ~unclear
        row.unclear[rows[unclear]] = True
        rows = rows[taken]
        row.starts[rows], row.lengths[rows] = rest_starts[taken], rest_lengths[taken]
        rules[rows] = self._main_region[code[taken]]

    def _strip_national_prefix(self, buffer: Bytes, row: Dialled, rules: Ints) -> Flags:
        """Strips national prefixes. Returns the rows whose outcome is known afterwards."""
        known = np.zeros(len(rules), np.bool_)
        row.error[(row.lengths < 2) & (row.error == 0) & ~row.unclear] = ParseError.TOO_SHORT_NSN
        rows = np.flatnonzero((row.error == 0) & ~row.unclear)
        region = rules[rows]
        place = by_region(buffer, row.starts[rows], region)
        may = np.flatnonzero(self._national_length.take(place) != NO_PREFIX)
        rows, region = rows[may], region[may]
        starts, lengths, unclear, outcome, stripped = self._without_prefix(
            buffer, row.starts[rows], row.lengths[rows], region, row.code[rows]
        )
        row.unclear[rows[unclear]] = True
        stripped &= ~self._not_stripped[region, lengths]
        rows = rows[stripped]
        row.starts[rows], row.lengths[rows] = starts[stripped], lengths[stripped]
        row.outcome[rows] = outcome[stripped]
        known[rows] = True
        row.error[rows[lengths[stripped] < 2]] = ParseError.TOO_SHORT_NSN
        return known

    def _without_prefix(
        self, buffer: Bytes, starts: Ints, lengths: Ints, region: Ints, code: Ints
    ) -> tuple[Ints, Ints, Flags, NDArray[np.uint16], Flags]:
        """Rules 12 to 14: starts and lengths after the national prefix, and the rows that the prefix rule rewrites.

        Then the outcomes of the stripped rows, and these rows. A row may be empty.
        """
        length = self._national_length.take(by_region(buffer, starts, region))
        # Any byte can follow a row's last digit: a prefix of two digits may not be the row's own.
        short = (lengths < 2) & (length != NO_PREFIX)
        length[short] = np.where(lengths[short] < 1, NO_PREFIX, UNDECIDED)
        self._walk_undecided(buffer, starts, lengths, self._national_state[region], length)
        unclear = length == REWRITES
        stripped = (length != NO_PREFIX) & ~unclear
        rows = np.flatnonzero(stripped)
        new_starts, new_lengths = starts.copy(), lengths.copy()
        new_starts[rows] += length[rows]
        new_lengths[rows] -= length[rows]
        outcome = np.zeros(len(starts), np.uint16)
        outcome[rows] = self._outcomes(buffer, new_starts[rows], new_lengths[rows], code[rows])
        # Undone if the general pattern matched before and does not match now.
        doubtful = rows[~self._matches(outcome[rows], region[rows])]
        before = self._outcomes(buffer, starts[doubtful], lengths[doubtful], code[doubtful])
        undone = doubtful[self._matches(before, region[doubtful])]
        new_starts[undone], new_lengths[undone] = starts[undone], lengths[undone]
        stripped[undone] = False
        return new_starts, new_lengths, unclear, outcome, stripped

    def _walk_undecided(self, buffer: Bytes, starts: Ints, lengths: Ints, states: States, length: Ints) -> None:
        """Finds the lengths of the few prefixes that two digits do not decide."""
        rows = np.flatnonzero(length == UNDECIDED)
        if len(rows):
            # No prefix is as long as a walk.
            walked = lengths[rows].clip(max=ROOM)
            length[rows] = self._outcome[self._walker.walk(buffer, starts[rows], walked, states[rows])]

    def _outcomes(self, buffer: Bytes, starts: Ints, lengths: Ints, code: Ints) -> NDArray[np.uint16]:
        if not len(starts):
            return np.zeros(0, np.uint16)
        state = self._walker.walk(buffer, starts, lengths, self.code_state.take(code))
        return self._outcome.take(state)

    def _matches(self, outcome: NDArray[np.uint16], region: Ints) -> Flags:
        """True for rows that match the region's general pattern."""
        matching: Flags = (self._general.take(outcome) & self._general_bit.take(region)) != 0
        return matching

"""The inputs of the benchmark: valid numbers of all regions, Chinese mobile numbers, and both as people write them."""

from __future__ import annotations

import random

import phonenumbers

from bossjy_numbering import Format, Number, NumberType, Plan

FULL_WIDTH = {ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)} | {ord("+"): "\uff0b"}


def clean_numbers(plan: Plan, count: int, seed: int) -> list[str]:
    """E.164 of valid numbers of every region and type that has an example, the last four digits drawn."""
    choice = random.Random(seed)
    pool = valid_pool(plan, choice)
    return [choice.choice(pool).e164 for _ in range(count)]


def chinese_mobiles(plan: Plan, count: int, seed: int) -> list[str]:
    """E.164 of valid Chinese mobile numbers."""
    choice = random.Random(seed)
    drawn: list[str] = []
    while len(drawn) < count:
        text = f"+861{choice.choice('35789')}{choice.randrange(10**9):09d}"
        if plan.number(text).type == NumberType.MOBILE:
            drawn.append(text)
    return drawn


def dirty_texts(plan: Plan, count: int, seed: int) -> tuple[list[str], list[str]]:
    """Numbers as people write them, with their default regions: formats, prefixes, separators, and 3 % bad ones."""
    choice = random.Random(seed)
    pool = [number for number in valid_pool(plan, choice) if number.region != "001"]
    written = [(number.region or "", variants(plan, number)) for number in choice.sample(pool, 20_000)]
    texts, regions = [], []
    for _ in range(count):
        region, forms = choice.choice(written)
        text = choice.choice(forms)
        draw = choice.random()
        if draw < 0.02:
            text = text[: choice.randrange(len(text))]
        elif draw < 0.025:
            text += str(choice.randrange(100))
        elif draw < 0.03:
            text = choice.choice(("", "n/a", "-", "none"))
        texts.append(text)
        regions.append(region)
    return texts, regions


def variants(plan: Plan, number: Number) -> list[str]:
    """Ways in which people write a number."""
    national = plan.format(number, Format.NATIONAL)
    international = plan.format(number, Format.INTERNATIONAL)
    digits = number.e164[1:]
    return [
        national,
        national.replace(" ", ""),
        national.replace(" ", "-"),
        f" {national} ",
        international,
        international.replace(" ", "-"),
        number.e164,
        f"(+{number.calling_code}) {national}",
        f"00{digits}",
        f"00 {number.calling_code} {number.national_digits}",
        number.national_digits,
        national.translate(FULL_WIDTH),
    ]


def valid_pool(plan: Plan, choice: random.Random) -> list[Number]:
    """About 50,000 valid numbers, distributed over regions and types like the plan."""
    pool = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in NumberType:
            example = phonenumbers.example_number_for_type(region, int(kind)) if kind < NumberType.UNKNOWN else None
            if example is None:
                continue
            text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            for _ in range(40):
                number = plan.number(f"{text[:-4]}{choice.randrange(10_000):04d}")
                if number.valid:
                    pool.append(number)
    return pool

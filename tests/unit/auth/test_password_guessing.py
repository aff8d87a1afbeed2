"""Long passwords that are joined from common parts are refused; sentences and random words are accepted."""

from __future__ import annotations

import random
import re
import string

import pytest

from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.password.guessing import estimate
from bossjy_server.auth.password.password_list import password_list
from bossjy_server.auth.password.password_rules import PasswordRules
from bossjy_server.errors import InvalidArgument

RULES = PasswordRules(AuthOptions())
NAMES = ["ann.smith@northwind.example", "Ann Smith", "Northwind Traders", "northwind-traders-x7k2p9"]
# Words chosen by dice: few of them are common in passwords.
DICE = re.findall(
    r"\w+",
    """
    abacus acorn afar agave almanac anvil apron armoire attic awning badger ballast banjo barley basin beacon bellows
    birch bobbin bramble brisk buckle burlap cactus candid canopy caramel cedar chisel cinder citrus cobalt copper
    cradle crater crisp cubicle daffodil damask decoy dial drizzle dusk easel elbow ember envoy fable feather fennel
    ferry fiddle flannel flint foggy forge frosting gadget gallop gasket gazette geyser glacier gravel grove gusto
    hamlet harness hatch heron hinge hollow hunch husk ivory jigsaw jostle juniper kettle kiln ladle lantern lattice
    ledger lichen linen lodge lumber maple marble mason meadow mellow mitten moat mosaic muddle nectar nettle nickel
    nozzle oats obelisk onyx orchard outpost oyster paddle parsley pebble pendant pewter pickle plank plume pollen
    porch puddle quarry quill quilt radish rafter ramble raisin rattle ribbon ripple rudder saddle satchel scallop
    scribble sift sketch slate sorrel spindle spruce squint stencil stubble tangle tassel thimble thistle tinsel
    toboggan trellis trowel tulip turnip twine upkeep vellum velvet violet walnut wander whisk wicker willow zigzag
    """,
)


def refusal(password: str) -> str:
    """The reason of a refusal, or ''."""
    try:
        RULES.check(password, NAMES)
    except InvalidArgument as error:
        return error.violations[0].description
    return ""


@pytest.mark.parametrize(
    "password",
    [
        "dragonsunshine77",
        "sunshinedragon12",
        "thelazydogjumpsover",
        "monkeyfootball99",
        "Dr4gonSunsh1ne77",
        "p@ssw0rdDragon99",
        "dragon  sunshine!77",
        "dragon_sunshine_77",
        "ｄｒａｇｏｎｓｕｎｓｈｉｎｅ７７",
        "jumpsoverthelazydog",
        "welcome-to-the-jungle",
        "correct-horse-battery",
        "tigerlionbear2024",
        "liverpool20120731x",
        "nogard enihsnus 12",
        "qwertyuiopdragon12",
        "defghijkl monkey 12",
        "he11o kitty 2o24!!",
        "woaibeijingtiananmen",
        "xiaoming520wangfang",
        "wo ai ni 520 1314 baobei",
        "NorthwindDragon77",
        "n0rthw1nd dragon!",
        "annsmithsunshine1",
        "Northwind TradersNorthwind Traders",
        "traders-x7k2p9-ann",
        "19870412sunshine19870412",
    ],
)
def test_passwords_joined_from_common_parts_are_refused(password: str) -> None:
    assert refusal(password), password


@pytest.mark.parametrize(
    "password",
    [
        "umbrella over the quiet harbour 7",
        "nine patient tortoises cross the market 3",
        "my cat eats seven fish on tuesday",
        "I bought bread and cheese in Paris",
        "we walked along the beach at dawn",
        "mein hund mag keine grossen katzen",
        "wo jia de mao mei tian zao shang liu dian jiao wo",
        "purple monkey dishwasher banana lamp",
        "dragon 8402 9177 5531 sunshine",
        "dragon $& sunshine ^* 73 () 4 <>~",
        "ann and her northwind kettle",
    ],
)
def test_sentences_are_accepted(password: str) -> None:
    assert refusal(password) == ""


@pytest.mark.parametrize("count", [4, 5, 6])
def test_random_words_are_accepted(count: int) -> None:
    chance = random.Random(count)
    drawn = [chance.choice(" -_").join(chance.sample(DICE, count)) for _ in range(1000)]
    assert [one for one in drawn if len(one) >= 15 and refusal(one)] == []


def test_four_words_of_the_list_itself_are_accepted_and_two_are_refused() -> None:
    chance = random.Random(1)
    words = sorted(
        word for word in password_list().words if word.isalpha() and word.isascii() and len(word) in (6, 7, 8)
    )
    pairs = ["".join(chance.sample(words, 2)) + "2026" for _ in range(300)]
    assert [one for one in pairs if not refusal(one)] == []
    fours = [" ".join(chance.sample(words, 4)) for _ in range(300)]
    # Of all that four words can make, some contain a name, or a piece of a phrase.
    assert sum(bool(refusal(one)) for one in fours) <= 6


@pytest.mark.parametrize(
    "alphabet", [string.ascii_lowercase, string.ascii_letters + string.digits, string.printable[:94]]
)
def test_random_characters_are_accepted(alphabet: str) -> None:
    chance = random.Random(3)
    drawn = ["".join(chance.choices(alphabet, k=16)) for _ in range(1000)]
    assert sum(bool(refusal(one)) for one in drawn) <= 3


def test_a_shorter_minimum_refuses_no_random_text() -> None:
    rules = PasswordRules(AuthOptions(password_min_chars=8))
    for password in ("xK9#mQ2v", "r7t-Lw4z", "qpwm zbtk"):
        rules.check(password)
    with pytest.raises(InvalidArgument):
        rules.check("dragonfire1")


def test_a_repeated_part_costs_little() -> None:
    units = {"dragon": 10.0, "sunshine": 10.0}
    assert estimate("dragonsunshine", units, 8).bits == 20
    assert estimate("dragonsunshine" * 3, units, 8).bits == 20
    assert estimate("dragonsunshinedragon", units, 8).bits == 22
    assert estimate("dragonx", units, 8).bits == pytest.approx(14.7)
    assert estimate("dragon我", units, 8).bits == 20
    assert estimate("dragon19990401", units, 8).bits == 25
    assert estimate("dragon83", units, 8).bits == pytest.approx(16.6)
    assert estimate("dragonacme", units, 8, frozenset({"acme"})).bits == 14

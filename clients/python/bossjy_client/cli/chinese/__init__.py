"""Chinese texts of the tool by their English ones. Loaded for users of Chinese only."""

from __future__ import annotations

from bossjy_client.cli.chinese.account_arguments import ACCOUNT_ARGUMENTS
from bossjy_client.cli.chinese.arguments import ARGUMENTS
from bossjy_client.cli.chinese.headings import HEADINGS
from bossjy_client.cli.chinese.messages import MESSAGES

CHINESE = {**ARGUMENTS, **ACCOUNT_ARGUMENTS, **HEADINGS, **MESSAGES}

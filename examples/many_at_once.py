"""Check many numbers at once with asyncio, by one client and at most fifty calls at a time."""

from __future__ import annotations

import asyncio
import os

from bossjy_client import AsyncClient


async def main() -> None:
    """Print how many of 200 numbers are valid."""
    slots = asyncio.Semaphore(50)
    async with await AsyncClient.connect(os.environ["BOSSJY_TARGET"], token=os.environ["BOSSJY_TOKEN"]) as client:

        async def is_valid(number: int) -> bool:
            async with slots:
                return (await client.phone.validate(f"+86138001{number:05d}", timeout=10)).valid

        answers = await asyncio.gather(*(is_valid(number) for number in range(200)))
    print(sum(answers), "valid")


if __name__ == "__main__":
    asyncio.run(main())

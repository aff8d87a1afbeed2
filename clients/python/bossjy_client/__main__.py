"""`python -m bossjy_client` is the command-line tool."""

from __future__ import annotations

from bossjy_client.cli import main

raise SystemExit(main())

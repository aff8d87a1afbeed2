"""Generator of the PrometheusRule for Kubernetes from the rule files beside it; --check compares.

    python3 monitoring/prometheus/make_kubernetes_rules.py

It needs only Python, so that an operator can change a rule without an environment. The groups are copied as text.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
FILES = ("recorded.yml", "alerts.yml", "operations.yml", "service.yml")
TARGET = FOLDER.parents[1] / "deploy" / "kubernetes" / "production" / "prometheus-rules.yaml"
_HEAD = """\
# For the Prometheus operator. Made by monitoring/prometheus/make_kubernetes_rules.py.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: bossjy
spec:
  groups:
"""


def rule_object() -> str:
    """The text of the object with the groups of all rule files."""
    texts = [(FOLDER / name).read_text("utf-8").split("\ngroups:\n", 1)[1] for name in FILES]
    return _HEAD + "".join(textwrap.indent(text, "  ") for text in texts)


def main() -> int:
    """Write the file, or compare it. Returns 1 if it differs."""
    options = argparse.ArgumentParser(description="PrometheusRule of BossJy from its rule files")
    options.add_argument("--check", action="store_true", help="compare the file and write nothing")
    check, text = options.parse_args().check, rule_object()
    if not check:
        TARGET.write_text(text, "utf-8")
    elif not TARGET.exists() or TARGET.read_text("utf-8") != text:
        print(f"{TARGET.name} differs from the rule files: run python3 monitoring/prometheus/{Path(__file__).name}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

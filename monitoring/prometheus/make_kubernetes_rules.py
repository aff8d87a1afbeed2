"""Generator of the PrometheusRule for Kubernetes and for the Helm chart from the rule files; --check compares.

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
DEPLOY = FOLDER.parents[1] / "deploy"
OBJECT = DEPLOY / "kubernetes" / "production" / "prometheus-rules.yaml"
# The chart's template makes the object: the rules have braces that Helm would read.
GROUPS = DEPLOY / "helm" / "bossjy" / "files" / "prometheus-groups.yaml"
_HEAD = """\
# For the Prometheus operator. Made by monitoring/prometheus/make_kubernetes_rules.py.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: bossjy
spec:
  groups:
"""


def groups() -> str:
    """The groups of all rule files, as a list."""
    texts = [(FOLDER / name).read_text("utf-8").split("\ngroups:\n", 1)[1] for name in FILES]
    return textwrap.dedent("".join(texts))


def main() -> int:
    """Write the files, or compare them. Returns 1 if one differs."""
    options = argparse.ArgumentParser(description="PrometheusRule of BossJy from its rule files")
    options.add_argument("--check", action="store_true", help="compare the files and write nothing")
    check, listed = options.parse_args().check, groups()
    for path, text in ((OBJECT, _HEAD + textwrap.indent(listed, "    ")), (GROUPS, listed)):
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        elif not path.exists() or path.read_text("utf-8") != text:
            print(f"{path.name} differs from the rule files: run python3 monitoring/prometheus/{Path(__file__).name}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

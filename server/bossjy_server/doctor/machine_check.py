"""Checks of the machine and the program: versions, plan, cores, workers, limit of open files."""

from __future__ import annotations

import os
import platform
import resource
from importlib.metadata import version
from pathlib import Path

from bossjy_numbering.released import RELEASED, plan_time
from bossjy_server.config import Settings
from bossjy_server.doctor.findings import Finding, date_text, days_since, fail, ok, warn

# The alert BossJyPlanOutdated has the same number.
OLD_PLAN_DAYS = 120
# Files of a process besides connections: libraries, tables, logs, pools, sockets of workers.
_LEAST_FILES, _ENOUGH_FILES = 256, 4096
_CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")


def program_findings(settings: Settings) -> list[Finding]:
    """Findings about the versions of program and plan. Blocks."""
    text = f"bossjy-server {version('bossjy-server')}, Python {platform.python_version()}, {platform.platform()}"
    return [ok("program", text), _plan_finding(settings.process.data_dir)]


def _plan_finding(data_dir: Path) -> Finding:
    number, folder = version("phonenumbers"), data_dir / "plan"
    if number not in RELEASED and not folder.exists():
        return ok("plan", f"libphonenumber {number}")
    released = plan_time(number, folder)
    seen = "released" if number in RELEASED else "in use since"
    age = days_since(released)
    fact = f"libphonenumber {number}, {seen} {date_text(released)} ({age} days)"
    if age > OLD_PLAN_DAYS:
        return warn("plan", fact, "install a newer release: new number ranges are refused as invalid")
    return ok("plan", fact)


def machine_findings(settings: Settings) -> list[Finding]:
    """Findings about cores and open files. Blocks."""
    cores, workers = _cores(), settings.process.workers
    text = f"{workers} {'worker' if workers == 1 else 'workers'}, {cores:g} {'core' if cores == 1 else 'cores'}"
    if workers > max(1, cores):
        found = [warn("workers", text, f"set BOSSJY_WORKERS to {max(1, int(cores))}: more only use memory")]
    elif workers < int(cores):
        found = [ok("workers", text, f"BOSSJY_WORKERS={int(cores)} uses all cores")]
    else:
        found = [ok("workers", text)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = soft == resource.RLIM_INFINITY
    fact = "no limit of open files" if unlimited else f"limit of {soft} open files ({_limit_text(hard)} may be set)"
    action = "raise it for the server: `ulimit -n 65536`, or LimitNOFILE=65536 in systemd"
    if unlimited or soft >= _ENOUGH_FILES:
        found.append(ok("open files", fact))
    elif soft >= _LEAST_FILES:
        found.append(warn("open files", f"{fact}: each connection needs one", action))
    else:
        found.append(fail("open files", f"{fact}: too low for the server", action))
    return found


def _limit_text(limit: int) -> str:
    return "any number" if limit == resource.RLIM_INFINITY else str(limit)


def _cores() -> float:
    """The cores that this process may use; a container's limit can be a fraction."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = float(len(affinity(0)) if affinity else os.cpu_count() or 1)
    try:
        quota, period = _CPU_LIMIT.read_text("ascii").split()
        return min(cores, round(int(quota) / int(period), 1))
    except (OSError, ValueError, ZeroDivisionError):  # no container, or `max`
        return cores

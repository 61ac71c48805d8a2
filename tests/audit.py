"""Known vulnerabilities in what constraints.txt pins, asked of the public service where it can be reached."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PINNED = Path(__file__).resolve().parents[1] / "constraints.txt"
PATIENCE_S = 120


def main() -> int:
    """0: none known, or nobody could be asked; 1: there are some, listed."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(PINNED), "--no-deps", "--disable-pip"]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", "10"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        found = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        print("Dependencies were not audited: pip-audit's service can't be reached from here.")
        return 0
    asked = [one for one in found if "skip_reason" not in one]  # what the service has never heard of is no answer
    if not asked:
        print("Dependencies were not audited: the service that answers here knows none of them.")
        return 0
    known = [(one["name"], one["version"], flaw) for one in asked for flaw in one.get("vulns", ())]
    for name, version, flaw in known:
        print(f"{name} {version}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'no version yet'}")
    print(f"{len(asked)} of {len(found)} dependencies audited, {len(known)} known vulnerabilities.")
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main())

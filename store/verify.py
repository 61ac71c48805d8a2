"""Load a model directory the way a fresh server would, and say whether it may be published.

Run as ``python -m store.verify DIRECTORY``: writes one JSON line ``{"ok": true}`` or ``{"ok": false, "reason": "…"}``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from store import manifest
from store.errors import ModelRefused

EQUALITY = 1e-4
"""Our logits and plain CrossEncoder's may differ by this, times max(1, |logit|)."""
_TIMEOUT = 600.0


def verify(directory: Path) -> None:
    """Manifest, weights, probes, and equality with plain ``CrossEncoder``. Raises ModelRefused."""
    from store.loading import load_checked  # torch: only the fresh process needs it
    from store.scorer import reference_scores

    found = manifest.verify(directory)
    scorer = load_checked(directory, found)
    pairs = [(probe.query, probe.passage) for probe in found.probes]
    expected = reference_scores(directory, pairs).tolist()
    got = scorer.score_pairs(pairs).tolist()
    manifest.check_scores(expected, got, EQUALITY, f"plain CrossEncoder disagrees at max_length {found.max_length}")


def verify_in_fresh_process(directory: Path) -> None:
    """``verify`` where nothing is in memory that isn't on the disk. Raises ModelRefused."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "store.verify", str(directory.absolute())],
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelRefused(f"loading in a fresh process took more than {_TIMEOUT:.0f} s") from error
    lines = done.stdout.strip().splitlines()
    try:
        answer = json.loads(lines[-1]) if lines else {}
    except ValueError:
        answer = {}
    if done.returncode == 0 and answer.get("ok") is True:
        return
    error_lines = done.stderr.strip().splitlines()
    reason = answer.get("reason") or (error_lines[-1] if error_lines else f"exit status {done.returncode}")
    raise ModelRefused(f"it does not load in a fresh process: {reason}")


def main() -> int:
    try:
        verify(Path(sys.argv[1]))
    except ModelRefused as error:
        sys.stdout.write(json.dumps({"ok": False, "reason": error.message}) + "\n")
        return 1
    sys.stdout.write(json.dumps({"ok": True}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

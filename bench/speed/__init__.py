"""How fast, as ratios against the plain library calls, each timed in turn: ``python -m bench.speed``."""

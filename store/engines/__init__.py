"""Ways to run a version's weights that are faster than torch in float32, each within a bound that was measured."""

"""Simulated people on real queries, only through the HTTP calls: does rating answers make search better?

python -m bench.loop --corpus ../shared/data/cosqa            # everything that is not finished yet
python -m bench.loop --report                                 # table and plot from the finished cells
python -m bench.loop.gate_power                               # how many ratings a proof takes
python -m bench.loop.harm --corpus ../shared/data/cosqa       # ten loops of random votes
"""

"""What a fault costs: kill -9, a full disk, a hung trainer, swaps under load (docs/faults.md).

Real ``rankloop serve`` processes on a small code base and tiny models; faults come from outside, and what clients were
told is compared with the database afterwards.
"""

import subprocess
import sys

from trainer.memory import process_peak_mb

CHILD = """
from trainer.memory import process_peak_mb
began = process_peak_mb()
held = bytearray(b"1" * 100 * 2**20)
del held
print(began, process_peak_mb())
"""


def test_the_peak_is_the_processs_own_and_stays() -> None:
    held = bytearray(b"1" * 300 * 2**20)
    assert process_peak_mb() > 300
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    began, ended = map(float, done.stdout.split())
    assert began < 100 < ended - began + 5, "what the parent holds is not counted, what is given back is"
    assert len(held) > 0

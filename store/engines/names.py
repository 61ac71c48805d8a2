"""Names of the engines and of their files in a version directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

TORCH = "torch-fp32"
"""What every version has, what the gate judges, and what all others are measured against."""
OPENVINO: Mapping[str, str] = {"openvino-fp32": "f32", "openvino-bf16": "bf16"}
"""Engine → the precision that OpenVINO multiplies in. Both run the same file."""
GPU = "torch-gpu"
"""``TORCH`` on this machine's GPU: the same weights and arithmetic, so every version has it where there is one."""
AUTO = "auto"
Wanted = Literal["auto", "torch-fp32", "torch-gpu", "openvino-fp32", "openvino-bf16"]

GRAPH_FILE = "engine/openvino.xml"
WEIGHTS_FILE = "engine/openvino.weights"
FILES = frozenset({GRAPH_FILE, WEIGHTS_FILE})

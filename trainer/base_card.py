"""The model card of a base as it came: nothing was trained, so there is no data and no training log to tell of."""

from __future__ import annotations

import json
from importlib import metadata

from store.registry import VersionDraft

_FRAMEWORKS = ("torch", "transformers", "sentence-transformers", "tokenizers", "safetensors")


def render(draft: VersionDraft) -> str:
    """The card as Markdown, with the metadata header that model hubs read."""
    versions = "\n".join(f"- {name}: {metadata.version(name)}" for name in _FRAMEWORKS)
    return f"""---
library_name: sentence-transformers
pipeline_tag: text-ranking
tags:
- sentence-transformers
- cross-encoder
- reranker
base_model: {json.dumps(draft.base)}
---

# {draft.name}

The cross-encoder `{draft.base}` as it came, registered by Rankloop as the base that training starts from. It has seen
no rating of this team. It gives one raw logit for a (question, passage) pair, cut to {draft.max_length} tokens.

- Training data, loss, hyper-parameters, training log: in the model's own card; Rankloop has trained nothing here
- Evaluation: none yet; `rankloop evaluate VERSION` measures it on this team's held-out questions
- Engines beside torch in float32: {", ".join(engine.name for engine in draft.engines[1:]) or "none"}
- Final score: `{draft.blend.rerank:g} * rerank_score`

```python
from sentence_transformers import CrossEncoder
from torch.nn import Identity

model = CrossEncoder("path/to/this/folder")
logits = model.predict([("how to read a json file", "def load(path): ...")], activation_fn=Identity())
```

## Framework versions

{versions}
"""

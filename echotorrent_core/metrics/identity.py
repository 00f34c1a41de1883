"""Identity: cosine distance of embeddings.

The embedding is the caller's choice. The embedded model's is the `identity` head of `reader.MouthReader`, trained to
tell the people of the corpus apart whatever their mouth, pose or background does.
"""

from __future__ import annotations

import numpy as np


def distance(embeddings: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """1 - cosine (N,) between embeddings (N, D) and one reference (D,): 0 same direction, 1 unrelated, 2 opposite."""
    norms = np.linalg.norm(embeddings, axis=1) * np.linalg.norm(reference)
    return 1 - embeddings @ reference / np.maximum(norms, 1e-12)


def separation(same: np.ndarray, other: np.ndarray) -> float:
    """Chance that a distance of the same person is smaller than one of another person (area under the ROC curve)."""
    ranks = np.concatenate([same, other]).argsort(kind="stable").argsort()
    below = ranks[len(same) :].sum() - len(other) * (len(other) - 1) / 2
    return float(below / (len(same) * len(other)))

"""The modules of published encoders can be imported at little cost and without the libraries they use."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from echotorrent_core.conditioning import clip, colour, loudness, tokens, umt5, wav2vec2
print([name for name in ("transformers", "tokenizers", "gguf", "scipy") if name in sys.modules])
"""


def test_nothing_heavy_is_imported():
    root = Path(__file__).resolve().parents[3]
    found = subprocess.run([sys.executable, "-c", SCRIPT], cwd=root, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"

"""The nodes, one file each, and what they share. Only `host` knows ComfyUI; `extension` is where it begins."""

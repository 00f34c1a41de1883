"""Reading and writing of weights: strict, safetensors only."""

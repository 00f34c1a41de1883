"""The procedural corpus: synthetic speech with exact phoneme times and rendered talking heads."""

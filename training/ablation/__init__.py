"""The ablation table: rows as data, their jobs, and what they say (`python -m training.ablate`)."""

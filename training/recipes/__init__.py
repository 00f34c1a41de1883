"""Recipes: whole trainings, stage after stage, each restartable."""

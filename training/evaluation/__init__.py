"""How good weights are, on people and voices never trained on (`python -m training.evaluation`)."""

"""Training data: the corpus turned into tensors."""

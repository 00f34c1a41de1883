"""Training of EchoTorrent models: methods, roles, data and the procedural corpus."""

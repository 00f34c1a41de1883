"""The trunk: one Wan-shaped diffusion transformer whose attention policies are data."""

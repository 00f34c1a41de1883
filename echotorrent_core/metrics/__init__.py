"""Measures of what the engine makes: pure functions on arrays, and the mouth reader that turns pixels into tracks."""

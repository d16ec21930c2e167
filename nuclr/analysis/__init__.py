"""Readings of a representation: arrays in, arrays out. Nothing here knows of training, files or verdicts."""

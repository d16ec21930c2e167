"""The report: recorded evidence in, one self-contained HTML page out. Reads evidence, never judges."""

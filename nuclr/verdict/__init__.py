"""From claim tests to verdicts: what the paper says, what was measured, and which of the two survives."""

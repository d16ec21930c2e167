"""The number of the training's arithmetic, by which a stored run knows that today's code would train other weights."""

# Part of every fingerprint: raise it whenever a change makes an engine compute other weights than before, by more than rounding.
# Moving, renaming and documenting code keep it. tests/train/test_first_steps.py compares the first steps of every engine with
# recorded ones, and fails where they differ.
ARITHMETIC = 1

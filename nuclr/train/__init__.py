"""Training: examples, the loop, the store of runs, and the plan that turns missing runs into trained ones."""

"""What came of the studies of nuclr.studies: each module reads its trained runs and prints the table of its page in docs/."""

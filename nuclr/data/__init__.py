"""The nuclear table, the ten observables and the ways to split them."""

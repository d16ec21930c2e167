"""The network, its parametrization, and probes into trained ones."""

"""nuclr: "From Neurons to Neutrons" (ICML 2024, arXiv 2405.17425) as a test suite."""

__version__ = "0.1.0"

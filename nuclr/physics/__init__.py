"""What is known of nuclei without training anything: names, magic numbers, mass formulas."""

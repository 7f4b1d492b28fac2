"""Experiments that are declared before they are run: what is compared, on which seeds, by which metric."""

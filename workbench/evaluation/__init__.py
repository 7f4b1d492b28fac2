"""Thin names: grading moved to `workbench.papers.ds1000`; these keep programs working that name the old place."""

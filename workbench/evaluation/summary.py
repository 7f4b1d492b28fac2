"""A thin name: see `workbench.papers.ds1000.summary`."""

from workbench.papers.ds1000.summary import Summary, summarize

__all__ = ["Summary", "summarize"]

"""Engines that serve a model on this machine: which there are, how one is started, shared and ended."""

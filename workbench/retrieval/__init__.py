"""Retrieval for code generation: a soup of knowledge that grows, retrievers over it, and the active loop."""

from workbench.retrieval.problem import CodeGenerator, CodingProblem, HiddenTest, VisibleRun

__all__ = ["CodeGenerator", "CodingProblem", "HiddenTest", "VisibleRun"]

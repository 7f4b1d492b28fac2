"""Retrieval for code generation: a soup of knowledge that grows, retrievers over it, and the active loop."""

from workbench.datasets.coding_problem import CodeGenerator, CodingProblem, HiddenTest, VisibleRun
from workbench.retrieval.bm25 import BM25Retriever
from workbench.retrieval.completions import ResumableCompletions
from workbench.retrieval.execution import Executor
from workbench.retrieval.item import SOURCES, Hit, Item
from workbench.retrieval.loop import active_retrieval
from workbench.retrieval.prompts import PromptTemplate
from workbench.retrieval.report import ActiveResult, RoundReport
from workbench.retrieval.settings import ActiveRetrievalSettings
from workbench.retrieval.soup import KnowledgeSoup, KnowledgeSource

__all__ = [
    "SOURCES",
    "ActiveResult",
    "ActiveRetrievalSettings",
    "BM25Retriever",
    "CodeGenerator",
    "CodingProblem",
    "Executor",
    "HiddenTest",
    "Hit",
    "Item",
    "KnowledgeSoup",
    "KnowledgeSource",
    "PromptTemplate",
    "ResumableCompletions",
    "RoundReport",
    "VisibleRun",
    "active_retrieval",
]

from .bm25 import BM25Retriever as BM25Retriever
from .completions import ResumableCompletions as ResumableCompletions
from .execution import Executor as Executor
from .item import SOURCES as SOURCES
from .item import Hit as Hit
from .item import Item as Item
from .loop import active_retrieval as active_retrieval
from .prompts import PromptTemplate as PromptTemplate
from .report import ActiveResult as ActiveResult
from .report import RoundReport as RoundReport
from .settings import ActiveRetrievalSettings as ActiveRetrievalSettings
from .soup import KnowledgeSoup as KnowledgeSoup
from .soup import KnowledgeSource as KnowledgeSource

__all__ = [
    "SOURCES",
    "ActiveResult",
    "ActiveRetrievalSettings",
    "BM25Retriever",
    "Executor",
    "Hit",
    "Item",
    "KnowledgeSoup",
    "KnowledgeSource",
    "PromptTemplate",
    "ResumableCompletions",
    "RoundReport",
    "active_retrieval",
]

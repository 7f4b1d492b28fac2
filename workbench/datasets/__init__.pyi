from .drawn_families import draw_families as draw_families
from .ds1000 import Problem as Problem
from .ds1000 import families as families
from .ds1000 import load_problems as load_problems
from .ds1000 import select as select
from .hub import fetch_file as fetch_file
from .hub import load_split as load_split
from .preference_filters import LengthLimit as LengthLimit
from .preferences import PreferencePair as PreferencePair
from .preferences import Preferences as Preferences
from .preferences import load_preferences as load_preferences
from .qa_feedback import QAExample as QAExample
from .qa_feedback import QAFeedback as QAFeedback
from .qa_feedback import load_qa_examples as load_qa_examples
from .qa_feedback import load_qa_feedback as load_qa_feedback

__all__ = [
    "LengthLimit",
    "PreferencePair",
    "Preferences",
    "Problem",
    "QAExample",
    "QAFeedback",
    "draw_families",
    "families",
    "fetch_file",
    "load_preferences",
    "load_problems",
    "load_qa_examples",
    "load_qa_feedback",
    "load_split",
    "select",
]

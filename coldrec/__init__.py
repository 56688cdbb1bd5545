"""coldrec: language models and knowledge graphs for the cold start of recommenders.

``import coldrec as cr`` loads nothing heavy; each name below is loaded at first use.
"""

import importlib

__version__ = "0.1.0"

_HOME = {  # where each public name lives; modules stand for themselves
    "Ratings": "data", "load": "data", "setup": "runtime",
    "evaluate": "evaluation", "leaderboard": "evaluation", "compare": "evaluation",
    "recommend": "evaluation",
    "show": "lesson", "record": "lesson", "recorded": "lesson", "claim": "lesson",
}
_MODULES = ("assets", "checks", "data", "evaluation", "graph", "language", "metrics", "models",
            "plots", "rating", "retrieval", "runtime", "splits", "validation", "views")

__all__ = ["__version__", *_HOME, *_MODULES]


def __getattr__(name):
    if name in _HOME:
        value = getattr(importlib.import_module(f"coldrec.{_HOME[name]}"), name)
    elif name in _MODULES:
        value = importlib.import_module(f"coldrec.{name}")
    else:
        raise AttributeError(f"coldrec has no {name!r}; it has {', '.join(__all__)}")
    globals()[name] = value
    return value


def __dir__():
    return __all__

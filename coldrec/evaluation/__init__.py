"""Judge a recommender on a split, and several on several."""

from coldrec.evaluation.boards import compare, leaderboard, runs, summarise
from coldrec.evaluation.judge import evaluate, recommend

__all__ = ["compare", "evaluate", "leaderboard", "recommend", "runs", "summarise"]

"""Ways to hold ratings out: what is new in the test says which cold start is measured."""

from coldrec.splits.folds import item_folds, random_folds, user_folds
from coldrec.splits.holdout import both_cold, by_time, item_cold, k_shot, mixed, user_cold, warm
from coldrec.splits.split import Split

__all__ = ["Split", "both_cold", "by_time", "item_cold", "item_folds", "k_shot", "mixed",
           "random_folds", "user_cold", "user_folds", "warm"]

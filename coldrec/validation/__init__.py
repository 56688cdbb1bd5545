"""The rules that data and arguments must keep.

Each error says what is wrong, the value, what is allowed, and the next step; one about data names
the row too.
"""

from coldrec.validation.arguments import (
    UnknownId,
    check_column,
    check_fraction,
    check_is_ratings,
    check_like,
    check_view,
    check_views,
    check_whole,
    find_rows,
)
from coldrec.validation.frames import DataError, check_entities, check_known, check_ratings

__all__ = ["DataError", "UnknownId", "check_column", "check_entities", "check_fraction",
           "check_is_ratings", "check_known", "check_like", "check_ratings", "check_view",
           "check_views", "check_whole", "find_rows"]

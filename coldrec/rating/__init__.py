"""The rating formula, ``r_ui = α_u·α_i·cos(u, i) + β_u + β_i``: for one pair, and fitted."""

from coldrec.rating.end_to_end import tuned_text
from coldrec.rating.formula import RatingFormula, rating

__all__ = ["RatingFormula", "rating", "tuned_text"]

"""Recommenders: what learns from ratings and scores items for users.

Each has ``fit(train) -> self`` and ``score(users, items) -> (users, items)``; those that speak in
stars also have ``predict``. Collaborative: :class:`ItemKNN`, :class:`UserKNN`,
:class:`MatrixFactorisation`, :class:`ImplicitALS`, :class:`EASE`, :class:`ArticleNetwork`.
Content-based: :class:`Content`, :class:`ViewCosine`, :class:`ViewRidge`, :class:`ViewStars`.
Hybrid: :class:`WeightedHybrid`, :class:`SwitchingHybrid`, :class:`FeatureCombination`. Two stages:
:class:`Rerank`. Baselines: :class:`Random`, :class:`Popularity`, :class:`Bias`, and
:class:`TestCountOracle`, which cheats.
"""

from coldrec.models.base import Recommender, StarRecommender
from coldrec.models.baselines import Bias, Popularity, Random, TestCountOracle
from coldrec.models.content import Content, ViewCosine
from coldrec.models.ease import EASE
from coldrec.models.factorisation import ImplicitALS, MatrixFactorisation
from coldrec.models.hybrid import FeatureCombination, SwitchingHybrid, WeightedHybrid
from coldrec.models.neighbours import ItemKNN, UserKNN
from coldrec.models.rerank import Rerank
from coldrec.models.ridge import ViewRidge
from coldrec.models.sequence import ArticleNetwork
from coldrec.models.stars import ViewStars

__all__ = ["EASE", "ArticleNetwork", "Bias", "Content", "FeatureCombination", "ImplicitALS",
           "ItemKNN", "MatrixFactorisation", "Popularity", "Random", "Recommender", "Rerank",
           "StarRecommender", "SwitchingHybrid", "TestCountOracle", "UserKNN", "ViewCosine",
           "ViewRidge", "ViewStars", "WeightedHybrid"]

"""Language models: loaded, trained, adapted, and asked. (PyTorch is loaded when they are used.)"""

from coldrec.language.adapters import METHODS, adapt
from coldrec.language.likes import LikesGPT
from coldrec.language.load import MODELS, causal, classifier, encoder
from coldrec.language.probe import GENERAL_TEXTS, knows
from coldrec.language.profiles import Profiles
from coldrec.language.rater import TextRater
from coldrec.language.score import log_likelihood, perplexity
from coldrec.language.training import train
from coldrec.language.triples import GraphGPT
from coldrec.language.tuned import TunedEncoder
from coldrec.language.verbalise import verbalise
from coldrec.language.yes_no import YesNo

__all__ = ["GENERAL_TEXTS", "METHODS", "MODELS", "GraphGPT", "LikesGPT", "Profiles", "TextRater",
           "TunedEncoder", "YesNo", "adapt", "causal", "classifier", "encoder", "knows",
           "log_likelihood", "perplexity", "train", "verbalise"]

"""Fit the weights of the signals and the confidence on labelled questions, and say what they are worth.

It is a command of the library, not a benchmark: the weights belong to an embedding model and a
kind of documents, and whoever changes either can fit again with labelled questions of their own.

Questions are held out by article: the questions of an article, and every set's article of the
same name, are in one fold, so that no figure is measured on what was fitted on.
"""

from rag.fit.run import Fitted, fit

__all__ = ["Fitted", "fit"]

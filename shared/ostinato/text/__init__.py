"""SentencePiece vocabularies, in Python and as TensorFlow graphs.

`ostinato.text.graph` and `ostinato.text.graph_normalise` need TensorFlow and are therefore not imported here.
"""

from ostinato.text.normalise import normalise
from ostinato.text.tokenizer import END, PAD, START, UNKNOWN, Tokenizer, train_sentencepiece

__all__ = ["END", "PAD", "START", "UNKNOWN", "Tokenizer", "normalise", "train_sentencepiece"]

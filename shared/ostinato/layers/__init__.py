"""Keras layers of encoder-decoder networks and classifiers of streams.

They import nothing else of the project but `gathering`, and run on any Keras backend.
"""

from ostinato.layers.attention import AdditiveAttention, Memory, MultiplicativeAttention, masked_softmax
from ostinato.layers.attention_decoder import AttentionDecoder, DecoderState
from ostinato.layers.decoder_ensemble import DecoderEnsemble, EnsembleMemory, ParallelDecoders
from ostinato.layers.encoder_decoder import EncoderDecoder
from ostinato.layers.frame_encoder import FrameEncoder
from ostinato.layers.image_encoder import ImageEncoder
from ostinato.layers.running_pooling import RunningAttentionPooling
from ostinato.layers.sequence_classifier import SequenceClassifier, StreamScores
from ostinato.layers.standardisation import Standardisation
from ostinato.layers.text_encoder import TextEncoder
from ostinato.layers.vocabulary import Shortlist

__all__ = [
    "AdditiveAttention",
    "AttentionDecoder",
    "DecoderEnsemble",
    "DecoderState",
    "EncoderDecoder",
    "EnsembleMemory",
    "FrameEncoder",
    "ImageEncoder",
    "Memory",
    "MultiplicativeAttention",
    "ParallelDecoders",
    "RunningAttentionPooling",
    "SequenceClassifier",
    "Shortlist",
    "Standardisation",
    "StreamScores",
    "TextEncoder",
    "masked_softmax",
]

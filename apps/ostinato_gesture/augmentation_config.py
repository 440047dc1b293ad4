"""How far training sequences are varied; without NumPy, as the command line shows these settings."""

from __future__ import annotations

import dataclasses

from ostinato.config import check


@dataclasses.dataclass(frozen=True)
class AugmentationConfig:
    """How far training sequences are varied; 0 leaves each as it is."""

    speed: float = 0.25
    """a sequence becomes slower or faster by up to this share"""
    time_warp: float = 0.2
    """parts of a sequence become slower or faster by up to this share"""
    hold: float = 0.25
    """share of sequences in which all keeps still for a moment, of up to 75 frames, somewhere in the middle"""
    crop: float = 0.1
    """greatest share of the frames cut off at either end"""
    rotation: float = 15.0
    """greatest angle about each of the three axes, in degrees"""
    scale: float = 0.15
    """size, and apart from it height against width, change by up to this share; of other features each one's size and,
    in standard deviations, its place"""
    reach: float = 0.0
    """how far hands travel, measured in their size, changes by up to this share: people move more or less"""
    jitter: float = 0.02
    """standard deviation of the trembling of each joint in each frame, in palm sizes; of other features in their own"""
    landmark_dropout: float = 0.02
    """share of joints that stay for a frame where they were in the frame before"""
    frame_dropout: float = 0.03
    """share of frames in which a hand is not found"""
    mirror: float = 0.5
    """share of sequences that are mirrored: left hands become right ones, and right ones left"""
    confused_hands: float = 0.05
    """share of sequences in which left is taken for right, as the landmarker does at times"""

    def __post_init__(self) -> None:
        for name in (field.name for field in dataclasses.fields(AugmentationConfig)):  # subclasses have others too
            check(getattr(self, name) >= 0, f"{name} must not be negative, is {getattr(self, name)}")
        for name in ("speed", "time_warp", "scale", "reach", "landmark_dropout", "frame_dropout"):
            check(getattr(self, name) < 1, f"{name} must be below 1, is {getattr(self, name)}")
        check(self.crop < 0.5, f"crop must be below 0.5, is {self.crop}")
        check(self.rotation <= 90, f"rotation must be 90 degrees or less, is {self.rotation}")
        for name in ("mirror", "confused_hands", "hold"):
            check(getattr(self, name) <= 1, f"{name} must be within 0 and 1, is {getattr(self, name)}")

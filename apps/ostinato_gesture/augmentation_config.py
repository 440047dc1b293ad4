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
    """greatest angle about each of the three axes, in degrees; of other features, that of `points` about where each
    begins"""
    scale: float = 0.15
    """size, and apart from it height against width, change by up to this share; of other features each one's size"""
    place: float = 0.15
    """how far each of other features than landmarks lies elsewhere in a sequence, in standard deviations"""
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

    blended: float = 0.0
    """share of the clips of other features than landmarks that are blended with another clip of their label"""
    points: str = ""
    """of other features than landmarks, the columns (the first is 0) that are the two or three coordinates of a point,
    such as 0:1:2; several points by commas. They are turned together, and the network sees in which direction each
    goes"""

    def __post_init__(self) -> None:
        parse_points(self.points)
        fields = dataclasses.fields(AugmentationConfig)  # subclasses have others too
        for name in (field.name for field in fields if field.name != "points"):
            check(getattr(self, name) >= 0, f"{name} must not be negative, is {getattr(self, name)}")
        for name in ("speed", "time_warp", "scale", "reach", "landmark_dropout", "frame_dropout"):
            check(getattr(self, name) < 1, f"{name} must be below 1, is {getattr(self, name)}")
        check(self.crop < 0.5, f"crop must be below 0.5, is {self.crop}")
        check(self.rotation <= 90, f"rotation must be 90 degrees or less, is {self.rotation}")
        for name in ("mirror", "confused_hands", "hold", "blended"):
            check(getattr(self, name) <= 1, f"{name} must be within 0 and 1, is {getattr(self, name)}")


def parse_points(text: str) -> tuple[tuple[int, ...], ...]:
    """Returns the columns of each point, as `points` names them: two or three numbers with colons between.

    Raises:
      ConfigError: one has not two or three columns, or a column occurs twice.
    """
    points = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        columns = [column.strip() for column in part.split(":")]
        check(
            len(columns) in (2, 3) and all(column.isdecimal() for column in columns),
            f"points: {part!r} is not two or three columns with colons between, such as 0:1:2",
        )
        points.append(tuple(int(column) for column in columns))
    named = [column for point in points for column in point]
    twice = sorted({column for column in named if named.count(column) > 1})
    check(not twice, f"points: column {twice[0] if twice else ''} occurs twice; name each once")
    return tuple(points)

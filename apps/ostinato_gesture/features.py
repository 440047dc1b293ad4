"""Landmarks to features: what a hand's shape and motion are, wherever, however large and whichever hand it is."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any
State = dict[str, Tensor]

_SIGNS = np.array([-1.0, 1.0], "float32")  # of x, by slot: left hands are mirrored to right ones
# Joints are numbered as MediaPipe does: the wrist is 0, thumb and four fingers have four each, the tip last.
_KNUCKLES = np.array([5, 9, 17])  # of index, middle and little finger
_BONE_STARTS = np.array([0 if joint % 4 == 1 else joint - 1 for joint in range(1, 21)])  # of the bone to each joint
_BENT = np.array([bone for bone in range(20) if bone % 4 != 3])  # bones with another one behind them
_TIP_PAIRS = np.array([(4, 8), (4, 12), (4, 16), (4, 20), (8, 12), (12, 16), (16, 20)]).T

_LONGEST_GAP = 15.0  # frames after which a hand that comes back counts as a new one
_ANCHOR_MOMENTUM = 0.9  # of the running average of the wrist's place: the last ten frames or so
_LEAD_MOMENTUM = 0.8
# Beyond these a hand was found elsewhere by mistake: palm sizes a frame, palm sizes, and logarithm of a factor.
_FASTEST, _FARTHEST, _FASTEST_GROWTH = 2.0, 3.0, 0.5
_FARTHEST_HAND = 8.0  # from the other one, in palm sizes
# Motion is five of a hand's features and shape 82: in such small units it weighs as much, and gestures that differ in
# motion alone are told apart (left-out signers: 73 to 82 % right).
_MOTION_UNIT, _OFFSET_UNIT, _GROWTH_UNIT = 0.05, 0.075, 0.025
_LARGEST_COORDINATE = 1e6  # what is beyond, infinite or no number is no hand
_LEAST_SIZE = 1e-6

HAND_SIZE = 20 * 3 + len(_BENT) + _TIP_PAIRS.shape[1] + 7
PAIR_SIZE = 3


@keras.saving.register_keras_serializable(package="ostinato_gesture")
class LandmarkFeatures(keras.layers.Layer):
    """Describes hands by shape and motion, invariant to place, scale and mirror; it has no weights.

        features = layer(landmarks)  # a whole sequence
        features, state = layer.step(landmarks[:, 0], layer.initial_state(batch))  # frame by frame: the same features

    Each hand that is there is described by
      - its joints from the wrist, in palm sizes [20 * 3];
      - the cosine of each bend between two bones of a finger [15];
      - distances of thumb and finger tips, and of neighbouring tips, in palm sizes [7];
      - the wrist's motion, in twentieths of a palm size a frame [2], and how much larger the hand became, as a
        logarithm in fortieths [1];
      - the wrist's place from the average of its last places, in 0.075 palm sizes [2];
      - 1 for being there, and how long it was away before: 0 not at all, 1 for `_LONGEST_GAP` frames or for good [2].
    Of one that is not there, all but the last are zero. Left hands are mirrored to right ones.

    First comes the hand that leads: the one that is there, or of two the one that has moved more of late, or was
    raised. So a gesture looks alike with either hand, and in a mirror. Behind the second hand come the place of its
    wrist as seen from the first one, in palm sizes, and whether both are there [3].

    Args:
      num_hands: 2, or 1 for the leading hand alone.

    Call arguments:
      landmarks: float [B, F, 2, 21, 3], the left hand in slot 0, the right one in slot 1, x and y in one unit, any;
        zeros for a hand that is not there.
      presence: bool [B, F, 2], or None: hands whose landmarks are not all zero are there.

    Returns:
      float32 [B, F, `feature_size`].
    """

    def __init__(self, num_hands: int = 2, **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})  # motion is lost where places are rounded to bfloat16
        self.num_hands = num_hands
        self.feature_size = HAND_SIZE if num_hands == 1 else 2 * HAND_SIZE + PAIR_SIZE

    def build(self, landmarks_shape: Any, presence_shape: Any = None) -> None:
        self.built = True

    def state_spec(self) -> dict[str, tuple[tuple[int, ...], str]]:
        """Returns shape (without batch) and dtype of each tensor of the state by name, in order.

        `wrist`, `palm_size` and `anchor` are those of the frame where each hand was last seen, `gap` is how many
        frames ago that was, 0 if not within the longest gap; `lead` is positive where the right hand leads.
        """
        shapes = {"wrist": (2, 2), "palm_size": (2,), "anchor": (2, 2), "gap": (2,), "lead": (1,)}
        return {name: (shape, "float32") for name, shape in shapes.items()}

    def initial_state(self, batch: int | Tensor) -> State:
        """Returns the state before the first frame of B streams: zeros, by the names of `state_spec`."""
        return {name: ops.zeros((batch, *shape), dtype) for name, (shape, dtype) in self.state_spec().items()}

    def step(self, landmarks: Tensor, presence: Tensor | None, state: State) -> tuple[Tensor, State]:
        """Describes one frame of each stream: float [B, 2, 21, 3], bool [B, 2] or None; see `steps`."""
        landmarks, presence = _clean(landmarks, presence)
        places = _places(landmarks, presence)
        following = _follow(state, places)
        return self._describe(landmarks, places, state, following), following

    def steps(self, landmarks: Tensor, presence: Tensor | None, state: State) -> tuple[Tensor, State]:
        """Describes several frames of each stream, as that many steps would and faster.

        Args:
          landmarks: float [B, F, 2, 21, 3].
          presence: bool [B, F, 2] or None.
          state: as `initial_state` or the frames before returned it.

        Returns:
          features float32 [B, F, feature_size] and the next state.
        """
        landmarks, presence = _clean(landmarks, presence)
        places = _places(landmarks, presence)

        def advance(before: State, here: Tensor) -> tuple[State, State]:
            after = _follow(before, _unpack(here))
            return after, after

        # one tensor, as `ops.scan` takes several only where the number of frames is known when the graph is made
        last, afters = ops.scan(advance, state, ops.swapaxes(_pack(places), 0, 1))
        after = {name: ops.swapaxes(part, 0, 1) for name, part in afters.items()}  # -> [B, F, ...]
        before = {name: ops.concatenate([state[name][:, None], after[name][:, :-1]], axis=1) for name in state}
        return self._describe(landmarks, places, before, after), last

    def call(self, landmarks: Tensor, presence: Tensor | None = None) -> Tensor:
        return self.steps(landmarks, presence, self.initial_state(ops.shape(landmarks)[0]))[0]

    def _describe(self, landmarks: Tensor, places: dict[str, Tensor], before: State, after: State) -> Tensor:
        """Puts the features together from landmarks [..., 2, 21, 3] and the states before and after each frame."""
        present, size = places["present"], places["palm_size"]  # [..., 2]
        shape = _shape(landmarks, size)  # -> [..., 2, S]
        travelled = _right_handed(_motion(places, before)) / _MOTION_UNIT  # -> [..., 2, 2]
        offset = (places["wrist"] - after["anchor"]) / size[..., None]
        offset = _right_handed(ops.clip(offset, -_FARTHEST, _FARTHEST)) / _OFFSET_UNIT
        known = ops.cast(before["gap"] > 0, "float32")
        growth = known * ops.log(size / ops.maximum(before["palm_size"], _LEAST_SIZE))
        growth = ops.clip(growth, -_FASTEST_GROWTH, _FASTEST_GROWTH) / _GROWTH_UNIT
        away = known * ops.maximum(before["gap"] - 1.0, 0.0) / _LONGEST_GAP + (1.0 - known)
        rest = [travelled, growth[..., None], offset, ops.ones_like(size)[..., None]]
        hands = ops.concatenate([shape, *rest], axis=-1) * present[..., None]
        hands = ops.concatenate([hands, away[..., None]], axis=-1)  # -> [..., 2, HAND_SIZE]
        right_leads = after["lead"] >= 0  # -> [..., 1]
        leading = ops.where(right_leads, hands[..., 1, :], hands[..., 0, :])
        if self.num_hands == 1:
            return leading
        second = ops.where(right_leads, hands[..., 0, :], hands[..., 1, :])
        both = present[..., :1] * present[..., 1:]  # -> [..., 1]
        apart = both * (places["wrist"][..., 0, :] - places["wrist"][..., 1, :])  # the left one from the right one
        apart = ops.where(right_leads, apart, apart * np.array([1.0, -1.0], "float32"))  # x is mirrored and negated
        apart = apart / ops.where(right_leads, size[..., 1:], size[..., :1])
        return ops.concatenate([leading, second, ops.clip(apart, -_FARTHEST_HAND, _FARTHEST_HAND), both], axis=-1)

    def compute_output_spec(self, landmarks: Any, presence: Any = None) -> keras.KerasTensor:
        return keras.KerasTensor((*landmarks.shape[:2], self.feature_size), dtype="float32")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_hands": self.num_hands}


def _clean(landmarks: Tensor, presence: Tensor | None) -> tuple[Tensor, Tensor]:
    """Returns landmarks float32, zero where there is no hand, and presence float32 of 0 and 1, [..., 2]."""
    landmarks = ops.cast(landmarks, "float32")
    greatest = ops.max(ops.abs(landmarks), axis=(-2, -1))  # -> [..., 2]
    finite = ops.all(ops.abs(landmarks) < _LARGEST_COORDINATE, axis=(-2, -1))
    there = ops.logical_and(greatest > 0, finite)
    if presence is not None:
        there = ops.logical_and(there, ops.cast(presence, "bool"))
    return ops.where(there[..., None, None], landmarks, 0.0), ops.cast(there, "float32")


def _places(landmarks: Tensor, present: Tensor) -> dict[str, Tensor]:
    """Returns what the state is made of: presence and palm size [..., 2], the wrist's x and y [..., 2, 2]."""
    wrist = landmarks[..., 0, :]
    # A palm seen from its edge is narrow in the picture; depth makes up for that.
    knuckles = ops.take(landmarks, _KNUCKLES, axis=-2) - wrist[..., None, :]
    size = ops.mean(_length(knuckles), axis=-1)
    size = ops.where(present > 0, ops.maximum(size, _LEAST_SIZE), 1.0)  # any number for no hand
    return {"present": present, "palm_size": size, "wrist": wrist[..., :2]}


def _pack(places: dict[str, Tensor]) -> Tensor:
    """Returns what `_places` found in one tensor [..., 2, 4]."""
    return ops.concatenate([places["present"][..., None], places["palm_size"][..., None], places["wrist"]], axis=-1)


def _unpack(packed: Tensor) -> dict[str, Tensor]:
    return {"present": packed[..., 0], "palm_size": packed[..., 1], "wrist": packed[..., 2:]}


def _follow(state: State, places: dict[str, Tensor]) -> State:
    """Returns the state after a frame: tensors [B, ...]."""
    there = places["present"] > 0  # -> [B, 2]
    is_known = state["gap"] > 0
    gap = ops.where(is_known, state["gap"] + 1.0, 0.0)
    gap = ops.where(gap > _LONGEST_GAP, 0.0, gap)
    anchor = ops.where(
        is_known[..., None],
        _ANCHOR_MOMENTUM * state["anchor"] + (1 - _ANCHOR_MOMENTUM) * places["wrist"],
        places["wrist"],
    )
    return {
        "wrist": ops.where(there[..., None], places["wrist"], state["wrist"]),
        "palm_size": ops.where(there, places["palm_size"], state["palm_size"]),
        "anchor": ops.where(there[..., None], anchor, state["anchor"]),
        "gap": ops.where(there, 1.0, gap),
        "lead": _lead(state, places),
    }


def _lead(state: State, places: dict[str, Tensor]) -> Tensor:
    """Returns which hand leads after a frame, [B, 1]: the running average of how much more the right one does."""
    present = places["present"]
    speed = _length(_motion(places, state))  # -> [B, 2]
    height = places["wrist"][..., 1]
    raised = (ops.flip(height, axis=-1) - height) / places["palm_size"]  # a higher place has a smaller y
    raised = ops.clip(raised, 0.0, 1.0) * ops.flip(present, axis=-1)
    activity = present * (0.25 + ops.minimum(speed, 1.0) + 0.25 * raised)
    total = ops.sum(activity, axis=-1, keepdims=True)
    more = (activity[..., 1:] - activity[..., :1]) / ops.maximum(total, _LEAST_SIZE)
    following = _LEAD_MOMENTUM * state["lead"] + (1 - _LEAD_MOMENTUM) * more
    return ops.where(total > 0, following, state["lead"])


def _motion(places: dict[str, Tensor], before: State) -> Tensor:
    """Returns how far each wrist went for each frame since it was seen, in palm sizes, [..., 2, 2]."""
    frames = ops.maximum(before["gap"], 1.0)
    travelled = (places["wrist"] - before["wrist"]) / (frames * places["palm_size"])[..., None]
    counts = ops.cast(before["gap"] > 0, "float32") * places["present"]
    return counts[..., None] * ops.clip(travelled, -_FASTEST, _FASTEST)


def _right_handed(vectors: Tensor) -> Tensor:
    """Mirrors what belongs to left hands: vectors [..., 2, 2] of slots, x and y."""
    return vectors * np.stack([_SIGNS, np.ones_like(_SIGNS)], axis=-1)


def _shape(landmarks: Tensor, size: Tensor) -> Tensor:
    """Returns joints from the wrist, bends and distances of tips, [..., 2, 60 + 15 + 7]."""
    mirror = np.ones((2, 1, 3), "float32")
    mirror[:, 0, 0] = _SIGNS
    joints = (landmarks - landmarks[..., :1, :]) * mirror / size[..., None, None]  # -> [..., 2, 21, 3]
    bones = joints[..., 1:, :] - ops.take(joints, _BONE_STARTS, axis=-2)  # -> [..., 2, 20, 3]
    directions = bones / ops.maximum(_length(bones)[..., None], _LEAST_SIZE)
    bends = ops.sum(ops.take(directions, _BENT, axis=-2) * ops.take(directions, _BENT + 1, axis=-2), axis=-1)
    distances = _length(ops.take(joints, _TIP_PAIRS[0], axis=-2) - ops.take(joints, _TIP_PAIRS[1], axis=-2))
    places = ops.reshape(joints[..., 1:, :], (*ops.shape(joints)[:-2], 60))
    return ops.concatenate([places, bends, distances], axis=-1)


def _length(vectors: Tensor) -> Tensor:
    """Returns the length of vectors over the last axis, with a gradient at zero too."""
    return ops.sqrt(ops.sum(vectors * vectors, axis=-1) + 1e-24)

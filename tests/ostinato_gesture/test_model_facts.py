import json

from ostinato_gesture import landmarks, model, model_facts
from ostinato_gesture.model_facts import ModelFacts


def test_facts_travel_through_json():
    facts = ModelFacts(("none", "wave"), "none", "features", (7,), 12.5, 1)
    assert ModelFacts.of(json.loads(json.dumps(facts.to_metadata()))) == facts
    assert not facts.reads_images


def test_what_is_known_without_keras_is_what_the_network_and_the_landmarker_know():
    assert model_facts.LANDMARKS == model.LANDMARKS
    assert model_facts.FRAME_SHAPE == model.FRAME_SHAPE == (landmarks.NUM_SLOTS, landmarks.NUM_JOINTS, 3)

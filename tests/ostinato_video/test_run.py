from ostinato_video.config import PrepareConfig, TrainConfig
from ostinato_video.run import Run

CONFIG = PrepareConfig(frame_rate=7.5, parts=("change", "appearance"), group_by="day")


def test_settings_are_those_of_the_preparation(tmp_path):
    Run(tmp_path).write_prepared(CONFIG, "fingerprint", TrainConfig(), labels=["background", "nod"])
    run = Run(tmp_path)
    assert run.labels == ("background", "nod")
    assert run.prepare_config == CONFIG

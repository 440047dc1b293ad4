"""Videos and cameras: reading frames, drawing on them, timelines, and the live loop.

Importing it imports nothing: its modules need PyAV or OpenCV, and `--help` is to be instant.

    ostinato.frames.finding   find_videos: the videos that arguments and folders name
    ostinato.frames.reading   VideoReader, Frame: video files, at their own rate or any other
    ostinato.frames.latest    LatestFrame: the newest frame of a camera, stream, file or pipe
    ostinato.frames.live      live_loop: each newest frame to its result, with latency and rates
    ostinato.frames.timeline  Segment, WRITERS: what happens when, as text, JSON, CSV, SRT, WebVTT
    ostinato.frames.overlay, video_writer, window, timeline_picture: results made visible
"""

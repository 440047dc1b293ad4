"""Serving models: a local server with the interfaces of TensorFlow Serving, for its REST and gRPC clients alike."""

"""Many to many: a sentence in, its translations out."""

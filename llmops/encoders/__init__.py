"""The parts of the encoder engine: body, int8 copy, head, training, and the store of kept encoders."""

"""What to do next, learnt from what people did: counts, the model, its parameters, and how good it is."""

"""Templates: chains that many people run well, named, drafted as workflows, and followed from then on."""

"""From recorded rows to a decision: cost, energy, hard limits, the Pareto front, the cascade. Nothing is run here."""

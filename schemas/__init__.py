"""The vocabulary: every message, code, refusal and state that the rest of Brobygger speaks of."""

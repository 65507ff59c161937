"""The demo: simulated regions, municipalities and programmes that use the real doors with synthetic people."""

"""The doors over HTTP: who is admitted, what is read, what is answered."""

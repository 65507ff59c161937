"""The vault: who is who. Youth ids, pseudonyms per programme, and the keys that seal dead letters."""

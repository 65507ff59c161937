"""The five arrangements, each played through the real doors and compared with its source's figures."""

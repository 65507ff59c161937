"""The read model: what was told to programmes, owners and sources, as rows projected from the topics."""

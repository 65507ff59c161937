"""Pages in the browser: a coordinator's worklist, an owner's needs, and the link on which consent is recorded."""

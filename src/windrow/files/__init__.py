"""Files of any kind: the model file, gzip, temporary folders, what the first bytes of a file tell."""

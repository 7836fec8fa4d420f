"""Files of every kind: the model file, gzip, temporary folders, and telling formats apart by the first bytes."""

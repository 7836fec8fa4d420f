"""Files of every kind: the model file, compression, temporary folders, and telling formats apart by the first bytes."""

"""Images to classes: IDX files, networks by plan or over rows, training, measuring, single pictures."""

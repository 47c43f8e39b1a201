"""Looking at a study: where its pictures are shown, with the earlier study to compare."""

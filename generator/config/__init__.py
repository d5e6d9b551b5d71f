"""What a run is and how it runs: configuration, its file, the selection of people."""

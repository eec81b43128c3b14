"""Where data come from: files, the bundled sample, vendors. Each turns foreign words into ours at the door."""

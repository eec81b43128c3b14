"""Where data come from: files and the bundled sample.

Each turns foreign words into ours at the door.
"""

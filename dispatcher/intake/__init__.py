"""From bytes to journal rows: decoding, the pipeline that decides, recovery."""

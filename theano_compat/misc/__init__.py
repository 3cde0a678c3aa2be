"""Small helpers that programs import: ordered sets, pickling without the disk cache, text templates, memory overlap."""

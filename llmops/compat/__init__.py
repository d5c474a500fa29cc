"""What depends on the inside of libraries: one file a library, each patch with its reason, version and test."""

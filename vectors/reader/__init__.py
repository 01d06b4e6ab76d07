"""A reader of the at-rest format, written from SPEC.md: sealing, records, reading."""

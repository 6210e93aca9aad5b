"""What a document says, as plain values: no I/O, no clock, no database. Typesetter and store live one level up."""

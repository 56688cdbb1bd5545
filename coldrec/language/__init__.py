"""Language models: texts in, vectors out."""

"""Bodies of every call, one resource a file. The browser client's types are generated from these."""

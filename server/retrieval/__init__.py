"""Candidates of a query: the first stage, reranking, and the swap of the serving version."""

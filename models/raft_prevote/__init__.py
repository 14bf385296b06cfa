"""Raft with PreVote: nobody begins a term in which it could not be elected."""

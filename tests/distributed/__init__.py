"""Work on Ray: what needs Ray itself; what workers compute is tested without it, with InProcess."""

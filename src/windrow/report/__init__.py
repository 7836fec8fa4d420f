"""Reports: one page of HTML about a trained model and its training. They need ``windrow[viz]``."""

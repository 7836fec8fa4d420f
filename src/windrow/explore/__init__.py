"""The explorer: trained models in a browser, served to this machine only. It needs ``windrow[explore]``."""

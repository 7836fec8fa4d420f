"""Back-off n-gram models: counts, smoothing, ARPA files, a packed table to query."""

# Of the registry in smoothing.py, here for the command line, which offers them before it loads NumPy.
SMOOTHING_NAMES = (
    "modified-kneser-ney",
    "kneser-ney",
    "witten-bell",
    "absolute",
    "katz",
    "jelinek-mercer",
    "add-delta",
    "mle",
    "stupid-backoff",
)

"""Class-based n-gram models: classes of words, and n-grams of classes.

given       classes from a file or a mapping
exchange    classes from the text itself (kernels)
model       p(word | history) = p(its class | classes of the history) p(word | its class)
"""
